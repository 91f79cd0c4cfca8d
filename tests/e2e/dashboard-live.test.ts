/** Lists that are open in a real Chromium change with what others do, and ask for nothing while nothing happens. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildPages, openBrowser, signIn, type TestBrowser } from '../fixtures/dashboard.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

describe('lists that are open', () => {
  let gantry: Gantry
  let browser: TestBrowser
  let page: Page
  let demo: Session
  let network: string
  let volume: string

  beforeAll(async () => {
    await buildPages()
    gantry = await startGantry()
    browser = await openBrowser()
    page = await browser.newPage()
    demo = await gantry.logIn('demo')
    await signIn(page, gantry.api, await gantry.env())
    network = await made('/networks', { name: 'net' })
    volume = await made('/volumes', { name: 'data', size: 1 })
    const isThere = async () => expect((await demo.native('GET', `/volumes/${volume}`)).text).toContain('"available"')
    await vi.waitFor(isThere, { timeout: 60_000, interval: 200 })
  }, 240_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await gantry?.[Symbol.asyncDispose]()
  })

  /** By another client; its id. */
  const made = async (path: string, body: unknown): Promise<string> => {
    const { status, text } = await demo.native('POST', path, body)
    expect([200, 201, 202], text).toContain(status)
    return (JSON.parse(text) as { id: string }).id
  }
  const removed = async (path: string) => expect((await demo.native('DELETE', path)).status).toBeLessThan(300)
  const row = (name: string | RegExp) => page.getByRole('row', { name })

  /** What the page asks for from now on, by path; the stream of events goes on all the while and is no request. */
  const listening = (of: Page) => {
    const asked: string[] = []
    of.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`))
    return () => asked.splice(0)
  }
  /** Opened, live, and all that it shows has been read. */
  const open = async (of: Page, path: string) => {
    await of.goto(`${gantry.api}/ui${path}`)
    await of.getByRole('status').getByText('live', { exact: true }).waitFor()
    await quiet(of)
  }
  /** Three seconds without a request: longer than what is gathered or paced waits. */
  const quiet = async (of: Page) => {
    let last = Date.now()
    const note = () => {
      last = Date.now()
    }
    of.on('request', note)
    try {
      await vi.waitFor(() => expect(Date.now() - last).toBeGreaterThan(3000), { timeout: 60_000, interval: 200 })
    } finally {
      of.off('request', note)
    }
  }

  const nouns: readonly {
    readonly at: string
    readonly path: string
    readonly body: () => Record<string, unknown>
    readonly name: string | RegExp
  }[] = [
    {
      at: '/networks?tab=subnets',
      path: '/subnets',
      body: () => ({ network, name: 'sub-net', cidr: '10.78.0.0/24' }),
      name: /sub-net/,
    },
    { at: '/networks?tab=routers', path: '/routers', body: () => ({ name: 'corner' }), name: /corner/ },
    { at: '/networks?tab=groups', path: '/security-groups', body: () => ({ name: 'web' }), name: /web/ },
    { at: '/networks?tab=floating-ips', path: '/floating-ips', body: () => ({}), name: /172\.24\.4\./ },
    { at: '/registries', path: '/registries', body: () => ({ domain: 'hub.example.com' }), name: /hub\.example\.com/ },
    {
      at: '/volumes?tab=snapshots',
      path: '/snapshots',
      body: () => ({ volume, name: 'snap' }),
      name: /snap.*available/,
    },
    { at: '/volumes?tab=backups', path: '/backups', body: () => ({ volume, name: 'copy' }), name: /copy.*available/ },
  ]

  test.each(nouns)(
    'a row of $path comes and goes with what another client does',
    async ({ at, path, body, name }) => {
      await open(page, at)
      await page.evaluate(() => Object.assign(globalThis, { isTheSame: true }))
      expect(await row(name).count()).toBe(0)
      const asked = listening(page)
      const id = await made(path, body())
      await row(name).waitFor()
      await quiet(page)
      // Nothing but the list, and that only because of what happened.
      expect([...new Set(asked())]).toEqual([`GET /v1${path}`])
      await removed(`${path}/${id}`)
      await row(name).waitFor({ state: 'detached' })
      await quiet(page)
      expect([...new Set(asked())]).toEqual([`GET /v1${path}`])
      expect(await page.evaluate(() => 'isTheSame' in globalThis)).toBe(true)
    },
    120_000,
  )

  test('a port comes, is renamed and goes', async () => {
    const subnet = await made('/subnets', { network, name: 'for-ports', cidr: '10.79.0.0/24' })
    await open(page, '/networks?tab=ports')
    const asked = listening(page)
    const id = await made('/ports', { network, name: 'door' })
    await row(/door/).waitFor()
    expect((await demo.native('PATCH', `/ports/${id}`, { name: 'gate' })).status).toBe(200)
    await row(/gate/).waitFor()
    await removed(`/ports/${id}`)
    await row(/gate/).waitFor({ state: 'detached' })
    await quiet(page)
    // The first port of a project makes its group `default`, whose name the list shows.
    const others = asked().filter((each) => each !== 'GET /v1/security-groups')
    expect([...new Set(others)]).toEqual(['GET /v1/ports'])
    await removed(`/subnets/${subnet}`)
  }, 120_000)

  test('another project’s doings reach no list and cause no request', async () => {
    const other = await gantry.newTenant('strangers')
    await open(page, '/registries')
    const asked = listening(page)
    expect((await other.native('POST', '/registries', { domain: 'theirs.example.com' })).status).toBeLessThan(300)
    // What is told in order after it has been told: so was it, if it were.
    const id = await made('/registries', { domain: 'ours.example.com' })
    await row(/ours\.example\.com/).waitFor()
    await removed(`/registries/${id}`)
    await row(/ours\.example\.com/).waitFor({ state: 'detached' })
    await quiet(page)
    expect(await page.getByText('theirs.example.com').count()).toBe(0)
    const before = asked().length
    expect((await other.native('POST', '/registries', { domain: 'theirs2.example.com' })).status).toBeLessThan(300)
    await quiet(page)
    expect([before > 0, asked()]).toEqual([true, []])
  }, 120_000)

  test('eight windows hear of everything by one stream, ask for nothing while nothing happens, and go on when the one that listens is closed', async () => {
    const first = await browser.newPage()
    const streams: string[] = []
    first.context().on('request', (request) => {
      if (request.resourceType() === 'eventsource') streams.push(request.url())
    })
    await signIn(first, gantry.api, await gantry.env())
    await open(first, '/containers')
    // Coming to a page begins anew.
    streams.length = 0
    const paths = [
      '/',
      '/networks?tab=ports',
      '/topology',
      '/networks',
      '/volumes',
      '/images',
      '/events',
      '/registries',
    ]
    const windows = await Promise.all(paths.map(() => first.context().newPage()))
    await Promise.all(windows.map((each, index) => open(each, paths[index] ?? '/')))
    expect(streams).toEqual([])
    const asked = windows.map(listening)
    await new Promise((resolve) => setTimeout(resolve, 12_000))
    expect(asked.map((of) => of())).toEqual(paths.map(() => []))

    const registries = windows.at(-1) as Page
    const domain = (name: string) => registries.getByRole('row', { name })
    const ids = [await made('/registries', { domain: 'before.example.com' })]
    await domain('before.example.com').waitFor()
    await first.close()
    ids.push(await made('/registries', { domain: 'meanwhile.example.com' }))
    await domain('meanwhile.example.com').waitFor()
    await expect.poll(() => streams.length).toBe(1)
    ids.push(await made('/registries', { domain: 'after.example.com' }))
    await domain('after.example.com').waitFor()
    for (const id of ids) await removed(`/registries/${id}`)
    await domain('after.example.com').waitFor({ state: 'detached' })
    await registries.context().close()
  }, 180_000)

  test('what hosts carry comes to administrators by itself; idle, their pages ask for nothing either', async () => {
    const admin = await browser.newPage()
    await signIn(admin, gantry.api, await gantry.env('admin'))
    await open(admin, '/hosts')
    const host = (text: RegExp) => admin.getByRole('row', { name: text })
    await host(/test-host connected .* 0 /).waitFor()
    const asked = listening(admin)
    await admin.waitForTimeout(12_000)
    const body = { image: 'busybox', name: 'load', command: ['sleep', '1000'], cpu: 0.5, memory: '64' }
    expect((await demo.zun('POST', '/containers?run=true', body)).status).toBe(202)
    await host(/test-host connected .* 1 0\.5 of/).waitFor()
    await gantry.agent.kill9()
    await host(/test-host not connected/).waitFor()
    await gantry.agent.start()
    await host(/test-host connected/).waitFor()
    expect((await demo.zun('DELETE', '/containers/load?stop=true')).status).toBe(204)
    await host(/test-host connected .* 0 0 of/).waitFor()
    expect(asked()).toEqual([])

    // Of every project: one stream more, and no request after it.
    await open(admin, '/events')
    await admin.getByRole('switch', { name: 'Every project, and hosts' }).check()
    await admin.getByRole('row', { name: /load/ }).first().waitFor()
    const later = listening(admin)
    await made('/registries', { domain: 'late.example.com' })
    await admin.getByRole('row', { name: /registry late\.example\.com was created/ }).waitFor()
    expect(later()).toEqual([])
    await admin.close()
  }, 180_000)
})
