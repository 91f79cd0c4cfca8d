/**
 * The dashboard for whoever cannot see or point well, with all that can be opened open: menus, dialogs, drawers, forms that were refused,
 * the terminal. And lists on a phone, and a very large screen.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPages, openBrowser, signIn, type TestBrowser } from '../fixtures/dashboard.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { atRest, excessWidth, faultsOf } from '../fixtures/page-faults.ts'

const pictures = process.env['GANTRY_SCREENSHOTS']
const soon = { timeout: 60_000 }

describe('the dashboard for everybody', () => {
  let gantry: Gantry
  let browser: TestBrowser
  let admin: Session
  let web = ''

  beforeAll(async () => {
    await buildPages()
    gantry = await startGantry()
    browser = await openBrowser()
    admin = await gantry.logIn('admin')
    const post = async (path: string, body: unknown) => {
      const { status, text, json } = await admin.native('POST', path, body)
      expect(status, text).toBeLessThan(300)
      return String(json['id'])
    }
    await post('/volumes', { name: 'data', size: 1 })
    const base = { image: 'busybox', command: ['sleep', '10000'], run: true, memory: 64, cpu: 0.1 }
    web = await post('/containers', { ...base, name: 'web' })
    await post('/containers', { ...base, name: 'worker' })
    for (const name of ['web', 'worker']) await admin.waitFor(name, ({ status }) => status === 'Running')
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await gantry?.[Symbol.asyncDispose]()
  })

  const open = async (page: Page, path: string) => {
    await page.goto(`${gantry.api}/ui${path}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
  }
  const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click()
  const item = (page: Page, name: string | RegExp) => page.getByRole('menuitem', { name })
  const dialog = (page: Page) => page.getByRole('dialog')

  /** Each leaves something open. */
  const scenes: Readonly<Record<string, (page: Page) => Promise<void>>> = {
    'the menu of the account': async (page) => {
      await open(page, '/')
      await press(page, /^Account of/)
      await item(page, 'Sign out').waitFor()
    },
    'the form to launch, refused': async (page) => {
      await open(page, '/launch')
      await press(page, /^Launch \d/)
      await page.getByText('A container needs an image.').waitFor()
    },
    'the menu of a container': async (page) => {
      await open(page, '/containers')
      await press(page, 'Actions for web')
      await item(page, 'Delete…').waitFor()
    },
    'the bar of what is chosen': async (page) => {
      await open(page, '/containers')
      await page.getByRole('checkbox', { name: 'Select web' }).click()
      await page.getByRole('region', { name: 'Selected containers' }).waitFor()
    },
    'the question before many are deleted': async (page) => {
      await page.getByRole('region', { name: 'Selected containers' }).getByRole('button', { name: 'Delete' }).click()
      await dialog(page).getByRole('button', { name: 'Delete' }).waitFor()
    },
    'a dialog whose form was refused': async (page) => {
      await open(page, '/volumes')
      await press(page, 'Create volume')
      await dialog(page).getByLabel(/^Name/).fill('huge')
      await dialog(page).getByLabel(/^Size/).fill('900000')
      await dialog(page).getByRole('button', { name: 'Create' }).click()
      await dialog(page).getByRole('alert').waitFor()
    },
    'the drawer of a volume': async (page) => {
      await open(page, '/volumes')
      await press(page, 'data')
      await dialog(page).getByText('data').first().waitFor()
    },
    'the menu of a container’s own page': async (page) => {
      await open(page, `/containers/${web}`)
      await press(page, 'More')
      await item(page, /^Resize/).waitFor()
    },
    'a dialog with fields': async (page) => {
      await item(page, /^Resize/).click()
      await dialog(page).getByRole('textbox').first().waitFor()
    },
    'a failure that floats above the page': async (page) => {
      await page.route('**/v1/containers/*/restart', (route) => route.abort())
      await open(page, `/containers/${web}`)
      await press(page, 'Restart')
      await page.getByRole('button', { name: 'Close this message' }).waitFor()
    },
    'an open terminal': async (page) => {
      await open(page, `/containers/${web}?tab=terminal`)
      await page.getByText(/^Connected/).waitFor()
    },
  }

  for (const [look, options] of [
    ['light', {}],
    ['dark', { dark: true }],
    ['phone', { width: 360, height: 740 }],
  ] as const) {
    test(`nothing that can be opened has a serious fault of accessibility: ${look}`, { timeout: 400_000 }, async () => {
      const page = await browser.newPage(options)
      const found: string[] = []
      await signIn(page, gantry.api, await gantry.env('admin'))
      for (const [name, show] of Object.entries(scenes)) {
        await show(page)
        await atRest(page)
        for (const fault of await faultsOf(page)) found.push(`${name}: ${fault}`)
        if ((await excessWidth(page)) > 0) found.push(`${name}: wider than the window`)
      }
      await page.context().close()
      expect(found).toEqual([])
    })
  }

  test('a form to sign in that was refused has no serious fault either', async () => {
    for (const dark of [false, true]) {
      const page = await browser.newPage({ dark })
      await page.goto(`${gantry.api}/ui/`)
      await page.getByLabel('User name').fill('nobody')
      await page.locator('input[name=password]').fill('wrong')
      await press(page, 'Sign in')
      await page.getByRole('alert').waitFor()
      await atRest(page)
      expect(await faultsOf(page)).toEqual([])
      await page.context().close()
    }
  })

  test('menus and dialogs are worked by keys alone, and give the focus back', async () => {
    const page = await browser.newPage()
    await signIn(page, gantry.api, await gantry.env('admin'))
    const { keyboard } = page
    const focused = () => page.evaluate<string>('document.activeElement.ariaLabel ?? document.activeElement.innerText')
    const comesTo = (name: string) => expect.poll(focused, soon).toBe(name)

    await open(page, '/containers')
    await page.getByRole('button', { name: 'Actions for web' }).focus()
    await keyboard.press('Enter')
    await comesTo('Logs')
    await keyboard.press('Escape')
    await item(page, 'Logs').waitFor({ state: 'detached' })
    await comesTo('Actions for web')
    await keyboard.press('Enter')
    await comesTo('Logs')
    // Round the end: the last one.
    await keyboard.press('ArrowUp')
    await comesTo('Delete…')
    await keyboard.press('Enter')
    await dialog(page).waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.closest("[role=dialog]") !== null')).toBe(true)
    await keyboard.press('Escape')
    await dialog(page).waitFor({ state: 'detached' })
    await comesTo('Actions for web')

    await open(page, `/containers/${web}`)
    await page.getByRole('button', { name: 'More' }).focus()
    await keyboard.press('Enter')
    await expect.poll(() => page.evaluate('document.activeElement.role'), soon).toBe('menuitem')
    while ((await focused()) !== 'Rebuild…') await keyboard.press('ArrowDown')
    await keyboard.press('Enter')
    await dialog(page).waitFor()
    await keyboard.press('Escape')
    await dialog(page).waitFor({ state: 'detached' })
    await comesTo('More')
    await page.context().close()
  })

  test('lists are sorted on a phone, too', async () => {
    const page = await browser.newPage({ width: 360, height: 740 })
    await signIn(page, gantry.api, await gantry.env('admin'))
    await open(page, '/containers')
    const names = () => page.getByRole('list', { name: 'Containers' }).getByRole('link').allInnerTexts()
    await page.getByLabel('Order of the containers').selectOption('Name, ascending')
    await expect.poll(names, soon).toEqual(['web', 'worker'])
    await page.getByLabel('Order of the containers').selectOption('Name, descending')
    await expect.poll(names, soon).toEqual(['worker', 'web'])
    await open(page, '/networks')
    await page.getByLabel('Order of the networks').selectOption('Name, descending')
    const first = page.getByRole('main').getByRole('listitem').first()
    await first.getByText('public').waitFor()
    await page.getByLabel('Order of the networks').selectOption('Name, ascending')
    await expect.poll(() => first.innerText(), soon).not.toContain('public')
    await page.context().close()
  })

  test('a very large screen is used, and lines stay short enough to be read', async () => {
    const page = await browser.newPage({ width: 3840, height: 2160 })
    await signIn(page, gantry.api, await gantry.env('admin'))
    const boxOf = async (what: Locator) => {
      const box = await what.boundingBox()
      if (!box) throw new Error('It is not there.')
      return box
    }
    const keep = async (name: string) => {
      if (pictures === undefined) return
      await mkdir(pictures, { recursive: true })
      await atRest(page)
      await page.screenshot({ path: join(pictures, `${name}-4k.png`) })
    }
    const tops = ['Quota', 'Hosts', 'Activity'].map((name) => page.getByRole('region', { name, exact: true }))
    await expect
      .poll(async () => new Set(await Promise.all(tops.map(async (one) => (await boxOf(one)).y))).size)
      .toBe(1)
    await keep('overview')
    await open(page, '/containers')
    expect((await boxOf(page.getByRole('table', { name: 'Containers' }))).width).toBeGreaterThan(3400)
    await keep('containers')
    await open(page, '/launch')
    expect((await boxOf(page.locator('form'))).width).toBeLessThan(1700)
    await open(page, '/topology')
    await expect
      .poll(async () => (await boxOf(page.getByRole('link', { name: 'Container web' }).locator('rect'))).width, soon)
      .toBeGreaterThan(300)
    await keep('topology')
    await page.context().close()
  })
})
