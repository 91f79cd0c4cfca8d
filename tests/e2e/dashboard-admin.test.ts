/** What only administrators see on the dashboard, in a real Chromium: all projects, the audit, why a host; and that others see none of it. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPages, openBrowser, signIn, type TestBrowser } from '../fixtures/dashboard.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

const spec = { image: 'busybox:latest', run: true, command: ['sleep', '3600'], memory: 32, cpu: 0.1 }

describe('the dashboard for administrators', () => {
  let gantry: Gantry
  let browser: TestBrowser
  let demo: Session
  let shop: Awaited<ReturnType<Gantry['newTenant']>>
  let admin: Session
  let page: Page

  beforeAll(async () => {
    await buildPages()
    gantry = await startGantry()
    browser = await openBrowser()
    demo = await gantry.logIn('demo')
    admin = await gantry.logIn('admin')
    shop = await gantry.newTenant('shop')
    page = await browser.newPage()
    await signIn(page, gantry.api, await gantry.env('admin'))
  }, 180_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await gantry?.[Symbol.asyncDispose]()
  })

  const open = (path: string) => page.goto(`${gantry.api}/ui${path}`)
  const row = (name: string | RegExp) => page.getByRole('row', { name })
  const create = async (session: Session, name: string, more: object = {}) => {
    const { status, text, json } = await session.native('POST', '/containers', { ...spec, ...more, name })
    if (status !== 202) throw new Error(`${status} ${text}`)
    return String(json['id'])
  }
  const runs = async (session: Session, name: string) => {
    const id = await create(session, name)
    await session.waitFor(name, ({ status }) => status === 'Running', 60)
    return id
  }

  test('containers of all projects are listed, filtered, kept true by events, and told what to do', async () => {
    const mine = await runs(demo, 'mine')
    await runs(shop, 'till')
    await open('/containers')
    await page.getByText('No containers yet').waitFor()
    await page.getByRole('switch', { name: 'All projects' }).click()
    await row(/till shop .*Running/).waitFor()
    await row(/mine demo .*Running/).waitFor()
    expect(page.url()).toContain('all=true')

    // What comes, changes and goes elsewhere is seen without being asked for.
    await runs(shop, 'shelf')
    await row(/shelf shop .*Running/).waitFor()
    const names = await page.getByRole('table', { name: 'Containers' }).getByRole('link').allTextContents()
    expect(names).toEqual(['shelf', 'till', 'mine'])
    await shop.native('DELETE', '/containers/shelf?stop=true')
    await row(/shelf/).waitFor({ state: 'detached' })

    await page.getByRole('combobox', { name: 'Project' }).fill('shop')
    await row(/mine/).waitFor({ state: 'detached' })
    await row(/till/).waitFor()
    await page.getByRole('combobox', { name: 'Project' }).fill('')
    await page.getByRole('combobox', { name: 'Host' }).fill('nosuch')
    await page.getByText('No such containers').waitFor()
    await page.getByRole('combobox', { name: 'Host' }).fill('test-host')
    await row(/mine/).waitFor()

    await page.getByRole('checkbox', { name: 'Select all 2 listed' }).check()
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByText('2 containers are being stopped.').waitFor()
    await row(/till shop .*Stopped/).waitFor()
    await row(/mine demo .*Stopped/).waitFor()
    const { json } = await demo.native('GET', `/containers/${mine}/actions`)
    const [last] = json['actions'] as unknown as { action: string; userId: string }[]
    expect(JSON.stringify(last)).toContain('stop')

    await page.getByRole('link', { name: 'mine' }).click()
    await page.getByText(demo.projectId).waitFor()
  }, 180_000)

  test('pages of all projects come by a cursor, each container once', async () => {
    const seen: string[] = []
    for (let marker = ''; ; ) {
      const query = `allProjects=true&limit=1${marker === '' ? '' : `&marker=${marker}`}`
      const { status, json } = await admin.native('GET', `/containers?${query}`)
      expect(status).toBe(200)
      const { containers, next } = json as unknown as { containers: { name: string }[]; next: string | null }
      seen.push(...containers.map(({ name }) => name))
      if (next === null) break
      marker = next
    }
    expect(seen).toEqual(['till', 'mine'])
  })

  test('the audit says who did what to what, by name, page and command line; a row opens the whole record', async () => {
    await shop.native('DELETE', '/containers/nosuch')
    await open('/audit')
    await row(/shop shop delete containers\/nosuch failure 404/).waitFor()
    await row(/admin admin update\/stop containers\/.* pending/)
      .first()
      .waitFor()
    await row(/admin admin authenticate \/ui\/session success 200/).waitFor()
    await row(/shop shop authenticate \/identity\/v3\/auth\/tokens success 201/).waitFor()
    await page.getByRole('combobox', { name: 'User' }).fill('shop')
    await page.getByRole('combobox', { name: 'Action' }).fill('delete')
    await row(/update\/stop/)
      .first()
      .waitFor({ state: 'detached' })
    await page.getByLabel('Outcome').selectOption('failure')
    await row(/containers\/shelf/).waitFor({ state: 'detached' })
    await row(/nosuch/)
      .getByRole('button')
      .click()
    const record = page.getByLabel('The whole record')
    await record.waitFor()
    const told = JSON.parse((await record.textContent()) ?? '') as Record<string, never>
    expect(told).toMatchObject({
      typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
      outcome: 'failure',
      reason: { reasonCode: '404' },
      initiator: { name: 'shop', project_id: shop.projectId },
      requestPath: '/v1/containers/nosuch',
    })
    expect(JSON.stringify(told)).not.toContain(shop.token)
    await page.keyboard.press('Escape')

    const asked = ['audit', '--user', 'shop', '--outcome', 'failure', '--since', '1h', '--json']
    const { stdout, stderr } = await gantry.cli(asked, { user: 'admin' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual([told])
    const table = await gantry.cli(['audit', '--action', 'update*', '--limit', '2'], { user: 'admin' })
    expect(table.stdout).toMatch(/admin .*update\/stop .*pending \(202\)/)
  }, 120_000)

  test('where no host fits, owner and administrator are told why and what to do; and why a container is where it is', async () => {
    const id = await create(demo, 'picky', { hints: { 'label:disk': 'ssd' } })
    await demo.waitFor('picky', ({ status }) => status === 'Error')
    const theirs = await browser.newPage()
    await signIn(theirs, gantry.api, await gantry.env())
    await theirs.goto(`${gantry.api}/ui/containers/${id}`)
    const reasons = theirs.getByRole('list', { name: 'Reasons' })
    await reasons.getByText('1 of 1 host is without the label asked for.').waitFor()
    await reasons.getByText('Create it with other constraints or hints.').waitFor()
    expect(await theirs.getByRole('button', { name: /Compare hosts|Why this host/ }).count()).toBe(0)
    expect(await theirs.getByText('test-host').count()).toBe(0)
    await theirs.context().close()

    await open(`/containers/${id}`)
    await page.getByText('Start an agent with the label that is asked for').waitFor()
    await page.getByRole('button', { name: 'Compare hosts' }).click()
    await row(/test-host no without the label asked for/).waitFor()
    await open('/containers?all=true')
    await page.getByRole('link', { name: 'mine' }).click()
    await page.getByRole('button', { name: 'Why this host?' }).click()
    await page.getByText('which nothing speaks against').waitFor()
    await row(/test-host \(here\) yes/).waitFor()
  }, 120_000)

  test('a host that takes nothing says why, and what to do next', async () => {
    await open('/hosts')
    await page.getByRole('button', { name: 'test-host', exact: true }).click()
    await page.getByText('Nothing keeps containers from being placed here.').waitFor()
    await admin.native('POST', '/hosts/test-host/disable?reason=new%20disk')
    const hindrances = page.getByRole('list', { name: 'Hindrances' })
    await hindrances.getByText('It is cordoned: new disk.').waitFor()
    await hindrances.getByText('Drain it to empty it, or uncordon it to use it again.').waitFor()
    await admin.native('POST', '/hosts/test-host/enable')
    await page.getByText('Nothing keeps containers from being placed here.').waitFor()
  }, 60_000)

  test('who is no administrator sees none of it, on no page and by no call', async () => {
    const theirs = await browser.newPage()
    await signIn(theirs, gantry.api, shop.env)
    expect(await theirs.getByRole('link', { name: 'Audit' }).count()).toBe(0)
    await theirs.goto(`${gantry.api}/ui/audit`)
    await theirs.getByText('There is no such page').waitFor()
    await theirs.goto(`${gantry.api}/ui/containers?all=true`)
    await theirs.getByRole('row', { name: /till/ }).waitFor()
    expect(await theirs.getByRole('row', { name: /mine/ }).count()).toBe(0)
    expect(await theirs.getByRole('switch').count()).toBe(0)
    await theirs.context().close()
    for (const path of [
      '/audit',
      `/audit?project=${shop.projectId}`,
      `/audit?project=${demo.projectId}`,
      '/containers?allProjects=true',
      '/containers?host=test-host',
      '/events?since=now&allProjects=true&follow=false',
    ]) {
      expect([path, (await shop.native('GET', path)).status]).toEqual([path, 403])
    }
    const placement = await shop.native('GET', '/containers/till/placement')
    expect(placement.json).toMatchObject({ total: 1, hosts: [] })
    expect((await shop.native('GET', '/containers/mine/placement')).status).toBe(404)
    const refused = await gantry.cli(['audit'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('Reading the audit')
  }, 60_000)
})
