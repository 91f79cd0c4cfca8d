/** A day with the dashboard in a real Chromium, on a real server, agent and engine. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPages, openBrowser, signIn, type TestBrowser } from '../fixtures/dashboard.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

describe('the dashboard', () => {
  let gantry: Gantry
  let browser: TestBrowser
  let page: Page
  let demo: Session
  /** What the page said to its console, and what its policy forbade. */
  const complaints: string[] = []

  beforeAll(async () => {
    await buildPages()
    gantry = await startGantry()
    browser = await openBrowser()
    page = await browser.newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (/Content Security Policy|Uncaught/.test(message.text())) complaints.push(message.text())
    })
    demo = await gantry.logIn('demo')
  })
  afterAll(async () => {
    await browser[Symbol.asyncDispose]()
    await gantry[Symbol.asyncDispose]()
  })

  const go = (name: string) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click()
  const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name })
  const tab = (name: string) => page.getByRole('tab', { name, exact: true }).click()
  const status = (name: string) => page.getByLabel(`Status: ${name}`).first()
  const rowOf = (name: string) => page.getByRole('row').filter({ hasText: name })
  const running = async (name: string, command: string[]) => {
    const body = { name, image: 'busybox', command, run: true, memory: 64, cpu: 0.1 }
    const { status: code, text, json } = await demo.native('POST', '/containers', body)
    expect(code, text).toBe(202)
    await demo.waitFor(name, ({ status: now }) => now === 'Running')
    return String(json['id'])
  }

  test('a wrong password is refused with a sentence; the right one leads to the overview, and no token is in reach of a script', async () => {
    await page.goto(`${gantry.api}/`)
    await page.getByLabel('User name').fill('demo')
    await page.locator('input[name=password]').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The user name, password or token was not accepted.').waitFor()
    await signIn(page, gantry.api, await gantry.env())
    await page.getByText('Nothing runs in this project yet').waitFor()
    const kept = await page.evaluate<string>(
      'JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])',
    )
    expect(kept).not.toMatch(/gAAAA|token|csrf/i)
    expect(JSON.parse(kept)[0]).toBe('')
  })

  test('a container is launched by the form, and is seen to be Running without a reload', async () => {
    await go('Launch')
    await heading('Launch containers').waitFor()
    await page.getByRole('combobox', { name: 'Image' }).fill('busybox:latest')
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('ticker')
    await page.getByRole('textbox', { name: 'Processor cores' }).fill('0.2')
    await page.getByRole('textbox', { name: 'Memory, MiB' }).fill('64')
    await page
      .getByRole('textbox', { name: 'Command' })
      .fill("sh -c 'i=0; while :; do i=$((i+1)); echo tick $i; sleep 1; done'")
    await page.getByText('docker run').first().waitFor()
    await page
      .getByText(/openstack appcontainer run/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: /^Launch 1 container/ }).click()
    await heading('ticker').waitFor()
    await status('Running').waitFor()
  })

  test('its log is read live, and searched', async () => {
    await tab('Logs')
    const log = page.getByRole('log')
    await log.getByText('tick 2', { exact: true }).waitFor()
    const seen = Number(/tick (\d+)\D*$/.exec(await log.innerText())?.[1])
    await log.getByText(`tick ${seen + 3}`, { exact: true }).waitFor()
    await page.getByLabel('Search the log').fill('tick 1')
    await log.locator('mark').first().waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download', exact: true }).click()
    expect(await readFile(await (await download).path(), 'utf8')).toContain('tick 1\n')
  })

  test('one types in its terminal, which has the size of the window', async () => {
    await tab('Terminal')
    await page.getByText('Connected: /bin/sh').waitFor()
    await page.getByRole('region', { name: 'Terminal' }).click()
    await page.keyboard.type('echo sum $((40+2)) > /tmp/typed; stty size; cat /tmp/typed\n')
    const screen = page.getByRole('region', { name: 'Terminal' }).locator('.xterm-rows')
    await expect.poll(() => screen.innerText(), { timeout: 20_000 }).toContain('sum 42')
    const [, rows = '', columns = ''] = /\n\s*(\d+) (\d+)\s*\n/.exec(await screen.innerText()) ?? []
    expect(Number(columns)).toBeGreaterThan(80)
    expect(Number(rows)).toBeGreaterThan(10)
    await page.keyboard.type('exit 7\n')
    await page.getByText(/exit code 7/).waitFor()
  })

  test('several lines are pasted only when one says so', async () => {
    await page.getByRole('button', { name: 'Connect again' }).click()
    await page.getByText('Connected: /bin/sh').waitFor()
    await page.getByRole('region', { name: 'Terminal' }).click()
    await page.evaluate(`
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', 'touch /tmp/pasted\\necho two\\n')
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))`)
    const dialog = page.getByRole('dialog', { name: 'Paste 2 lines?' })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'hidden' })
    const { json } = await demo.zun('POST', '/containers/ticker/execute?command=ls%20/tmp&interactive=false&run=true')
    expect(JSON.stringify(json)).toContain('typed')
    expect(JSON.stringify(json)).not.toContain('pasted')
  })

  test('its charts move', async () => {
    await tab('Charts')
    const chart = page.getByRole('figure', { name: 'Processor' })
    await chart.locator('canvas').waitFor()
    const draw = () =>
      page.evaluate<string>("document.querySelector('figure[aria-label=Processor] canvas').toDataURL()")
    const before = await draw()
    await expect.poll(async () => (await draw()) !== before, { timeout: 20_000 }).toBe(true)
    await expect.poll(() => page.getByRole('figure', { name: /^Memory/ }).innerText()).toMatch(/\d/)
  })

  test('a file is uploaded, is in the container, and is downloaded as it was', async () => {
    await tab('Files')
    await page.getByRole('table', { name: 'Files in /' }).waitFor()
    await page.getByRole('button', { name: 'tmp', exact: true }).click()
    const content = Buffer.from(`line one\n${'\u0000\u00ff'.repeat(5000)}`, 'latin1')
    const chooser = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Upload', exact: true }).click()
    await (await chooser).setFiles({ name: 'sent & <b>.bin', mimeType: 'application/octet-stream', buffer: content })
    await page.getByText('1 file uploaded to /tmp.').waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download sent & <b>.bin', exact: true }).click()
    expect((await readFile(await (await download).path())).equals(content)).toBe(true)
    const { json } = await demo.zun(
      'POST',
      '/containers/ticker/execute?command=wc%20-c%20%22/tmp/sent%20%26%20%3Cb%3E.bin%22&run=true&interactive=false',
    )
    expect(JSON.stringify(json)).toContain(String(content.length))
  })

  test('what was asked of it is listed, and what one asks now is seen to be done', async () => {
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await status('Stopped').waitFor()
    await tab('Actions')
    await page.getByText('stop', { exact: false }).first().waitFor()
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await status('Running').waitFor()
  })

  test('many are deleted at once', async () => {
    for (const name of ['batch-1', 'batch-2', 'batch-3']) await running(name, ['sleep', '1000'])
    await go('Containers')
    await rowOf('batch-3').waitFor()
    await page
      .getByRole('searchbox')
      .or(page.getByPlaceholder(/filter/i))
      .first()
      .fill('batch-')
    await expect.poll(() => rowOf('ticker').count()).toBe(0)
    await page.getByLabel('Select all 3 listed').check()
    await page.getByRole('button', { name: 'Delete', exact: true }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText(/^3 containers are/).waitFor()
    await expect.poll(() => rowOf('batch-').count(), { timeout: 60_000 }).toBe(0)
    const left = await demo.native('GET', '/containers?name=batch-1')
    expect(left.json['containers']).toEqual([])
  })

  test('what is over quota is said before, and refused with the reason', async () => {
    const admin = await gantry.logIn('admin')
    await admin.native('PATCH', `/quotas/${demo.projectId}`, { containers: 1 })
    await go('Launch')
    await page.getByRole('combobox', { name: 'Image' }).fill('busybox:latest')
    await page.getByRole('textbox', { name: 'Memory, MiB' }).fill('64')
    await page.getByText('That is more than the project may have.').waitFor()
    await page.getByRole('button', { name: /^Launch 1 container/ }).click()
    await page.getByRole('alert').filter({ hasText: /quota/i }).first().waitFor()
    await admin.native('DELETE', `/quotas/${demo.projectId}`)
  })

  test('hostile names, labels and logs are text and nothing else', async () => {
    const evil = '<img src=x onerror="document.title=1">'
    const body = {
      name: 'hostile',
      image: 'busybox',
      run: true,
      memory: 64,
      labels: { [evil]: evil },
      environment: { EVIL: evil, PASSWORD: 'hunter2' },
      command: ['sh', '-c', `echo '${evil}'; printf '\\033]0;owned\\007\\033[31mred\\033[0m\\n'; sleep 1000`],
    }
    const { text, json } = await demo.native('POST', '/containers', body)
    expect(json['id'], text).toBeDefined()
    await page.goto(`${gantry.api}/ui/containers/${String(json['id'])}`)
    await heading('hostile').waitFor()
    await page.getByText(evil).first().waitFor()
    expect(await page.locator('body').innerText()).not.toContain('hunter2')
    await demo.waitFor('hostile', ({ status: now }) => now === 'Running')
    await status('Running').waitFor()
    await tab('Logs')
    await page.getByRole('log').getByText(evil).waitFor()
    await page.getByRole('log').getByText('red', { exact: true }).waitFor()
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    expect(await page.title()).toContain('hostile')
  })

  test('another tenant sees none of it, and the address of a container tells her nothing', async () => {
    const { env } = await gantry.newTenant('elsewhere')
    const id = String((await demo.native('GET', '/containers/ticker')).json['id'])
    const theirs = await browser.newPage()
    await signIn(theirs, gantry.api, env)
    await theirs.getByText('Nothing runs in this project yet').waitFor()
    await theirs.goto(`${gantry.api}/ui/containers`)
    await theirs.getByText('No containers yet').waitFor()
    await theirs.goto(`${gantry.api}/ui/containers/${id}`)
    await theirs.getByText('This container is not there').waitFor()
    expect(await theirs.getByRole('link', { name: 'Hosts' }).count()).toBe(0)
    await theirs.close()
  })

  test('a page that loses the server says so, and catches up', async () => {
    await page.goto(`${gantry.api}/ui/containers`)
    await rowOf('ticker').waitFor()
    await gantry.server.kill9()
    await page.getByText('offline').waitFor()
    await gantry.server.start()
    await page.getByText('live', { exact: true }).waitFor()
    await demo.native('POST', '/containers/ticker/rename', { name: 'renamed' })
    await rowOf('renamed').waitFor()
  })

  test('nothing was thrown, and nothing was against its policy', () => {
    expect(complaints).toEqual([])
  })
})
