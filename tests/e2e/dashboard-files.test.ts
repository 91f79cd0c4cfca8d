/** Folders in the tab Files, chosen and dropped in a real Chromium, and what then is in the container. */
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPages, openBrowser, signIn, type TestBrowser } from '../fixtures/dashboard.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

describe('folders and the tab Files', () => {
  let gantry: Gantry
  let browser: TestBrowser
  let page: Page
  let demo: Session

  beforeAll(async () => {
    await buildPages()
    gantry = await startGantry()
    browser = await openBrowser()
    page = await browser.newPage()
    demo = await gantry.logIn('demo')
    const body = { name: 'ticker', image: 'busybox', command: ['sleep', '10000'], run: true, memory: 64, cpu: 0.1 }
    const { status, text, json } = await demo.native('POST', '/containers', body)
    expect(status, text).toBe(202)
    await demo.waitFor('ticker', ({ status }) => status === 'Running')
    await signIn(page, gantry.api, await gantry.env())
    await page.goto(`${gantry.api}/ui/containers/${String(json['id'])}?tab=files`)
    await page.getByRole('table', { name: 'Files in /' }).waitFor()
  })
  afterAll(async () => {
    await browser[Symbol.asyncDispose]()
    await gantry[Symbol.asyncDispose]()
  })

  test('a folder is uploaded with all that is below it, chosen or dropped, and what is replaced is asked about', async () => {
    await using local = await mkdtempDisposable(join(tmpdir(), 'gantry-folder-'))
    const site = join(local.path, 'site')
    await mkdir(join(site, 'deep', 'er'), { recursive: true })
    await mkdir(join(site, 'empty'))
    // More than a reader of a dropped folder gives at once.
    for (let number = 0; number < 130; number += 1) await writeFile(join(site, 'deep', `${number}.txt`), `${number}`)
    await writeFile(join(site, 'deep', 'er', 'a b.txt'), 'chosen')
    const inContainer = async (command: string) => {
      const query = new URLSearchParams({ command: `sh -c '${command}'`, run: 'true', interactive: 'false' })
      const { json } = await demo.zun('POST', `/containers/ticker/execute?${query.toString()}`)
      return String(json['output']).trim()
    }
    await inContainer('mkdir -p /tmp/chosen /tmp/dropped')

    const openFolder = async (path: string) => {
      const field = page.getByLabel('Path of a folder')
      await field.fill(path)
      await field.press('Enter')
      await page.getByText('Nothing in here').waitFor()
    }
    await openFolder('/tmp/chosen')
    const chooser = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Upload folder' }).click()
    await (await chooser).setFiles(site)
    await page.getByText('131 files uploaded to /tmp/chosen.').waitFor()
    expect(await inContainer('find /tmp/chosen -type f | wc -l; cat "/tmp/chosen/site/deep/er/a b.txt"')).toBe(
      '131\nchosen',
    )

    await openFolder('/tmp/dropped')
    await dropOn(page, page.getByText('Nothing in here'), site)
    await page.getByText('131 files uploaded to /tmp/dropped.').waitFor()
    await page.getByRole('button', { name: 'site', exact: true }).waitFor()
    expect(await inContainer('find /tmp/dropped -type f | wc -l; ls -d /tmp/dropped/site/empty')).toBe(
      '131\n/tmp/dropped/site/empty',
    )

    await writeFile(join(site, 'deep', 'er', 'a b.txt'), 'dropped')
    await dropOn(page, page.getByRole('button', { name: 'site', exact: true }), site)
    const question = page.getByRole('dialog', { name: 'Replace what is there?' })
    await question.getByRole('button', { name: 'Replace' }).click()
    await expect.poll(() => inContainer('cat "/tmp/dropped/site/deep/er/a b.txt"'), { timeout: 30_000 }).toBe('dropped')
  })
})

/** Drops a file or folder of this machine, as a file manager does. */
async function dropOn(page: Page, target: Locator, path: string): Promise<void> {
  const box = await target.boundingBox()
  if (!box) throw new Error('There is nowhere to drop it.')
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  const client = await page.context().newCDPSession(page)
  const data = { items: [], files: [path], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await client.send('Input.dispatchDragEvent', { type, ...at, data })
  await client.detach()
}
