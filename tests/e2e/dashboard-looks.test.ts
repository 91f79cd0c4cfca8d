/**
 * Every page of the dashboard: for whoever cannot see or point well (axe), on a phone, and how long the first one takes with many
 * containers. GANTRY_SCREENSHOTS=FOLDER keeps pictures: `npm run screenshots` writes those in docs/screenshots.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPage, mostScript, pageSizes } from '../../tools/page-size.ts'
import { buildPages, openBrowser, signIn, type TestBrowser } from '../fixtures/dashboard.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { atRest, excessWidth, faultsOf } from '../fixtures/page-faults.ts'

const pictures = process.env['GANTRY_SCREENSHOTS']

/** A path below `/ui`, and what its heading says. */
const pages = [
  ['overview', '/', 'Overview'],
  ['containers', '/containers', 'Containers'],
  ['all-containers', '/containers?all=true', 'Containers'],
  ['launch', '/launch', 'Launch containers'],
  ['images', '/images', 'Images'],
  ['networks', '/networks', 'Networks'],
  ['topology', '/topology', 'Topology'],
  ['volumes', '/volumes', 'Volumes'],
  ['registries', '/registries', 'Registries'],
  ['quotas', '/quotas', 'Quotas'],
  ['events', '/events', 'Events'],
  ['audit', '/audit', 'Audit'],
  ['hosts', '/hosts', 'Hosts'],
  ['identity', '/identity', 'Users and projects'],
] as const
const tabs = ['overview', 'logs', 'terminal', 'charts', 'files', 'actions'] as const

describe('the looks of the dashboard', () => {
  let gantry: Gantry
  let browser: TestBrowser
  let admin: Session
  let web = ''

  beforeAll(async () => {
    await buildPages()
    gantry = await startGantry()
    browser = await openBrowser()
    admin = await gantry.logIn('admin')
  })
  afterAll(async () => {
    await browser[Symbol.asyncDispose]()
    await gantry[Symbol.asyncDispose]()
  })

  const shown = [
    ...pages.map(([name, path]) => [name, path] as const),
    ...tabs.map((tab) => [`container-${tab}`, tab] as const),
  ]
  const addressOf = (name: string, path: string) =>
    `${gantry.api}/ui${name.startsWith('container-') ? `/containers/${web}?tab=${path}` : path}`

  test('a small cloud is made to be looked at', async () => {
    web = await aSmallCloud(admin)
  })

  for (const [look, options] of [
    ['light', { width: 1280, height: 800 }],
    ['dark', { width: 1280, height: 800, dark: true }],
    ['phone', { width: 360, height: 740 }],
  ] as const) {
    test(`no page has a serious fault of accessibility or is wider than the window: ${look}`, {
      timeout: 400_000,
    }, async () => {
      const page = await browser.newPage(options)
      await signIn(page, gantry.api, await gantry.env('admin'))
      const found: string[] = []
      for (const [name, path] of shown) {
        await page.goto(addressOf(name, path))
        await settled(page)
        for (const fault of await faultsOf(page)) found.push(`${name}: ${fault}`)
        const tooWide = await excessWidth(page)
        if (tooWide > 0) found.push(`${name}: ${tooWide} px wider than the window`)
        // Charts begin empty.
        if (pictures !== undefined && path === 'charts') await page.waitForTimeout(20_000)
        await keep(page, `${name}-${look}`)
      }
      await page.context().close()
      expect(found).toEqual([])
    })
  }

  test('every page has its heading and can be reached by the keyboard alone', async () => {
    const page = await browser.newPage()
    await signIn(page, gantry.api, await gantry.env('admin'))
    for (const [, path, heading] of pages) {
      await page.goto(`${gantry.api}/ui${path}`)
      await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    }
    await page.goto(`${gantry.api}/ui/`)
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Skip to the content')
    const seen = new Set<string>()
    for (let step = 0; step < 30; step += 1) {
      await page.keyboard.press('Tab')
      seen.add(await page.evaluate<string>("document.activeElement.getAttribute('href') ?? ''"))
    }
    for (const path of ['/ui/containers', '/ui/launch', '/ui/hosts']) expect([...seen]).toContain(path)
    await page.context().close()
  })

  test('no page needs more script than the limit', async () => {
    const sizes = await pageSizes(join(import.meta.dirname, '..', '..', 'dist', 'dashboard'))
    const usable = sizes.filter(isPage)
    expect(usable.length).toBeGreaterThan(10)
    expect(usable.filter(({ script }) => script > mostScript)).toEqual([])
  })
})

/** Until nothing is being loaded. */
async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await expect.poll(() => page.locator('.mantine-Loader-root').count(), { timeout: 30_000 }).toBe(0)
  await atRest(page)
}

async function keep(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  await mkdir(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}

/** A network of its own, a volume, and some containers of which one has failed. The id of one that runs. */
async function aSmallCloud(session: Session): Promise<string> {
  const post = async (path: string, body: unknown) => {
    const { status, text, json } = await session.native('POST', path, body)
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${text}`)
    return String(json['id'])
  }
  const network = await post('/networks', { name: 'backend' })
  await post(`/subnets`, { network, cidr: '10.77.0.0/24' })
  await post('/volumes', { name: 'data', size: 1 })
  const volume = () => session.native('GET', '/volumes/data')
  await expect.poll(async () => (await volume()).json['status'], { timeout: 60_000 }).toBe('available')
  const busy = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo "GET /item/$i 200"; sleep 1; done']
  const base = { image: 'busybox', run: true, memory: 64, cpu: 0.1 }
  const web = await post('/containers', {
    ...base,
    name: 'web',
    command: busy,
    nets: [{ network }],
    labels: { tier: 'front' },
  })
  await post('/containers', {
    ...base,
    name: 'database',
    command: ['sleep', '10000'],
    nets: [{ network }],
    mounts: [{ source: 'data', destination: '/data' }],
  })
  await post('/containers', { ...base, name: 'worker-1', command: ['sleep', '10000'] })
  await post('/containers', { ...base, name: 'worker-2', command: ['sh', '-c', 'exit 3'] })
  await post('/containers', { ...base, name: 'broken', image: 'no/such-image', command: ['true'] })
  for (const name of ['web', 'database', 'worker-1']) await session.waitFor(name, ({ status }) => status === 'Running')
  await session.waitFor('worker-2', ({ status }) => status === 'Stopped')
  await session.waitFor('broken', ({ status }) => status === 'Error')
  return web
}
