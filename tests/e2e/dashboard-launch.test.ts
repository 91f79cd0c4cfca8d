/** The Launch form in a real Chromium: what the server would refuse is said while one types; a published port answers. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPages, openBrowser, signIn, type TestBrowser } from '../fixtures/dashboard.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

const run = promisify(execFile)

describe('the Launch form', () => {
  let gantry: Gantry
  let browser: TestBrowser
  let page: Page
  let demo: Session

  beforeAll(async () => {
    await buildPages()
    gantry = await startGantry()
    browser = await openBrowser()
    page = await browser.newPage()
    page.setDefaultTimeout(60_000)
    demo = await gantry.logIn('demo')
    await signIn(page, gantry.api, await gantry.env())
  }, 240_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await gantry?.[Symbol.asyncDispose]()
  })

  const field = (name: string | RegExp) => page.getByRole('textbox', { name, exact: true })
  const begin = async () => {
    await page.goto(`${gantry.api}/ui/launch`)
    await page.getByRole('combobox', { name: 'Image' }).fill('busybox:latest')
    await field('Processor cores').fill('0.1')
    await field('Memory, MiB').fill('64')
  }
  const press = (name: string | RegExp) => page.getByRole('button', { name }).click()
  const publish = async (publicPort: string, containerPort: string) => {
    await press('Publish a port')
    await field('Public port').last().fill(publicPort)
    await field('Port of the container').last().fill(containerPort)
  }
  const containers = async () => JSON.stringify((await demo.native('GET', '/containers')).json)
  /** Asked from where the engine's floating IPs are. */
  const get = async (url: string) => {
    const words = [`--net=${gantry.engine.netns}`, 'curl', '-sf', '-m', '3', url]
    return (await run('nsenter', words).catch(() => ({ stdout: '' }))).stdout
  }

  test('what the API would refuse is said in its words beside the field, and nothing is made', async () => {
    await begin()
    await field('Memory, MiB').fill('3')
    await page.getByText('Must be at least 4.', { exact: true }).waitFor()
    await field('Memory, MiB').fill('64')
    await page.getByText('Must be at least 4.', { exact: true }).waitFor({ state: 'hidden' })
    await field('Name').fill('-web')
    await page.getByText('Does not fit: Letters, digits').waitFor()
    await field('Name').fill('web')
    await publish('70000', '80')
    await page.getByText('No. 1, publicPort: must be at most 65535.', { exact: true }).waitFor()
    await field('Public port').fill('8080')
    await page.getByText(/publicPort: must be/).waitFor({ state: 'hidden' })
    await field('Count').fill('2')
    await page
      .getByText('Public port 8080/tcp cannot lead to 2 containers; leave it out, and each gets a free one.', {
        exact: true,
      })
      .waitFor()
    await field('Count').fill('900')
    await field('Public port').fill('')
    await page.getByText(/^It would be refused: .*quota/i).waitFor()
    expect(await containers()).toBe('{"containers":[],"next":null}')
  })

  test('a published port is a link on the page of the container, and what it leads to answers', async () => {
    await begin()
    await field('Name').fill('site')
    await publish('8080', '80')
    await field('Command').fill(
      `sh -c "mkdir /www; echo '<h1>hello</h1>' > /www/index.html; exec httpd -f -p 80 -h /www"`,
    )
    await page.getByText('--publish 8080:80').waitFor()
    await press(/^Launch 1 container/)
    await page.getByRole('heading', { level: 1, name: 'site' }).waitFor()
    const link = page.getByRole('link', { name: /^\d+\.\d+\.\d+\.\d+:8080$/ })
    await link.waitFor()
    const address = String(await link.getAttribute('href'))
    expect(address).toMatch(/^http:\/\/[\d.]+:8080\/$/)
    await page.getByLabel('Status: Running').first().waitFor()
    await expect.poll(() => get(address), { timeout: 60_000, interval: 500 }).toBe('<h1>hello</h1>\n')
  })

  test('a port that is taken is refused beside its field before one asks, and as the same 409 when one does', async () => {
    await begin()
    await field('Name').fill('rival')
    await publish('8080', '80')
    const taken = page.getByText(
      /^Port 8080\/tcp of .* cannot lead to container rival: another running container has it\.$/,
    )
    await taken.waitFor()
    expect(await page.getByRole('alert').filter({ hasText: 'Nothing was launched' }).count()).toBe(0)
    await press(/^Launch 1 container/)
    await page.getByRole('alert').filter({ hasText: 'Nothing was launched' }).waitFor()
    expect(await containers()).not.toContain('rival')
    // Without a wish of its own it gets another.
    await field('Public port').fill('')
    await taken.first().waitFor({ state: 'hidden' })
    await press(/^Launch 1 container/)
    await page.getByRole('heading', { level: 1, name: 'rival' }).waitFor()
    await page.getByRole('link', { name: /^\d+\.\d+\.\d+\.\d+:3\d{4}$/ }).waitFor()
  })
})
