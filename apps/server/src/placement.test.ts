import { type Control, createControl, defaultPolicy, type HostLinks, type Policy, type Store } from '@gantry/control'
import { simFacts } from '@gantry/control/testing'
import { Fault, randomIds } from '@gantry/kernel'
import { type Container, defaultSpec, type HostId } from '@gantry/model'
import { createStore, openPostgres, openSqlite } from '@gantry/store'
import { startPostgres } from '@gantry/store/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { aCaller, someProviders } from './testing/a-world.ts'

const silent = { info() {}, warn() {}, error() {} }
const gauges = { step() {}, settled() {}, waiting() {} }
const clock = { now: () => Date.now() }
const ann = aCaller('p1')
const operator = aCaller('p-ops', ['admin'])

/** Hosts that only count what is promised of them. */
const deafLinks: HostLinks = {
  connected: () => true,
  assign: () => undefined,
  tell: () => undefined,
  calls(host) {
    throw new Fault('host.unreachable', { host })
  },
}

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

/** One server of a cloud. */
async function aServer(store: Store, policy: Partial<Policy> = {}): Promise<Control> {
  const providers = await someProviders(store, deafLinks, clock)
  const { control, reconciler } = createControl({
    store,
    links: deafLinks,
    ...providers,
    clock,
    ids: randomIds,
    log: silent,
    gauges,
    policy: { ...defaultPolicy, cpuRatio: 1, memoryRatio: 1, ...policy },
  })
  opened.push(
    () => Promise.resolve(reconciler[Symbol.asyncDispose]()),
    () => Promise.resolve(providers[Symbol.asyncDispose]()),
  )
  return control
}

async function addHosts(store: Store, count: number, labels: Record<string, string> = {}): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const name = `host-${number}`
    const facts = { ...simFacts, hostname: name, cpus: 1, memory: 10_000, labels: { number: `${number}`, ...labels } }
    const at = Date.now() - 1000 + number
    await store.hosts.upsert({ id: `id-${name}` as HostId, name, availabilityZone: 'nova', facts, at })
  }
}

async function onSqlite(): Promise<Store> {
  const db = await openSqlite(':memory:')
  opened.push(() => db.destroy())
  return createStore(db)
}

function create(control: Control, name: string, spec: Partial<Container['spec']> = {}): Promise<Container> {
  const whole = { ...defaultSpec('busybox'), cpu: 0.1, memory: 16, ...spec }
  return control.containers.create(ann, { name, run: true, unplugged: true, spec: whole })
}

async function settled(store: Store, all: readonly Container[]): Promise<Container[]> {
  return vi.waitFor(
    async () => {
      const now = await store.containers.getMany(all.map(({ id }) => id))
      expect(now.every(({ hostId, placementFailure }) => hostId !== null || placementFailure !== null)).toBe(true)
      return now
    },
    { timeout: 20_000, interval: 20 },
  )
}

test('two servers on one PostgreSQL place at once and never promise more than there is', async () => {
  const postgres = await startPostgres()
  opened.push(() => Promise.resolve(postgres[Symbol.asyncDispose]()))
  const url = await postgres.database()
  const stores: Store[] = []
  for (let count = 0; count < 2; count += 1) {
    const db = await openPostgres(url)
    opened.push(() => db.destroy())
    stores.push(createStore(db))
  }
  const [store] = stores
  if (!store) throw new Error('no store')
  const servers: Control[] = []
  for (const each of stores) servers.push(await aServer(each))
  await store.quotas.setProject(ann.projectId, { containers: 1000, cpu: 1000 })
  await addHosts(store, 5)
  const all = await Promise.all(
    Array.from({ length: 60 }, (_, number) => create(servers[number % 2] as Control, `c${number}`)),
  )
  const placed = await settled(store, all)
  expect(placed.filter(({ hostId }) => hostId !== null)).toHaveLength(50)
  expect(placed.find(({ hostId }) => hostId === null)?.placementFailure).toContain('5 of 5 are out of cores')
  const hosts = await store.hosts.list()
  expect(hosts.map(({ used }) => used.containers)).toEqual([10, 10, 10, 10, 10])
}, 60_000)

test('with and apart: rules hold between containers that are placed together, too', async () => {
  const store = await onSqlite()
  const control = await aServer(store)
  await addHosts(store, 3)
  const apart = { labels: { app: 'web' }, hints: { anti_affinity: 'app==web' } }
  const near = { labels: { app: 'db' }, hints: { affinity: 'app==db' } }
  const webs = await Promise.all([0, 1, 2, 3].map((number) => create(control, `web${number}`, apart)))
  const dbs = await Promise.all([0, 1, 2].map((number) => create(control, `db${number}`, near)))
  const placedWebs = await settled(store, webs)
  expect(new Set(placedWebs.flatMap(({ hostId }) => hostId ?? [])).size).toBe(3)
  expect(placedWebs.filter(({ hostId }) => hostId === null)).toMatchObject([
    { placementFailure: expect.stringContaining('3 of 3 are with a container it must not be with') },
  ])
  expect(new Set((await settled(store, dbs)).map(({ hostId }) => hostId)).size).toBe(1)

  // A later one follows a name; another project's containers count for nothing.
  const [first] = placedWebs
  const [follower] = await settled(store, [await create(control, 'log', { hints: { same_host: String(first?.name) } })])
  expect(follower?.hostId).toBe(first?.hostId)
  const [last] = await settled(store, [
    await create(control, 'on2', { hints: { constraints: 'node.labels.number==2' } }),
  ])
  expect(last?.hostName).toBe('host-2')
  await expect(create(control, 'bad', { hints: { constraints: 'what' } })).rejects.toMatchObject({
    code: 'request.invalid',
  })
})

test('fill goes to the next host when one is full, and administrators are told why of each', async () => {
  const store = await onSqlite()
  const control = await aServer(store, { placement: 'fill', containersPerHost: 2 })
  await addHosts(store, 2)
  const all = await settled(store, await Promise.all([0, 1, 2].map((number) => create(control, `c${number}`))))
  expect(all.filter(({ hostName }) => hostName === 'host-0')).toHaveLength(2)
  expect(all.filter(({ hostName }) => hostName === 'host-1')).toHaveLength(1)
  await control.hosts.disable(operator, 'host-1', 'repair')
  const [moved] = await settled(store, [await create(control, 'late')])
  expect(moved?.placementFailure).toContain('1 of 2 is full of containers, 1 of 2 is disabled by an administrator')
  const { hosts: verdicts, ...sums } = await control.hosts.explain(operator, String(all[0]?.id))
  expect(verdicts.map(({ host, refusals, isThere }) => [host.name, refusals, isThere])).toEqual([
    ['host-0', [], true],
    ['host-1', ['disabled by an administrator'], false],
  ])
  expect(await control.hosts.get(operator, 'host-0')).toMatchObject({ used: { containers: 2 }, limits: { cpu: 1 } })
  const why = 'disabled by an administrator'
  const remedy = 'Uncordon it when it may be used again.'
  expect(sums).toEqual({ total: 2, fitting: 1, reasons: [{ why, hosts: 1, remedy }] })
  // Its owner learns how many and why, but of no host by name; others do not learn that it is there.
  const told = await control.hosts.explain(ann, String(moved?.id))
  expect(told).toMatchObject({ total: 2, fitting: 0, hosts: [] })
  expect(told.reasons.map((reason) => [reason.why, reason.hosts])).toEqual([
    ['full of containers', 1],
    [why, 1],
  ])
  expect(told.reasons[1]?.remedy).toContain('Ask an administrator')
  await expect(control.hosts.explain(aCaller('eve'), String(moved?.id))).rejects.toMatchObject({
    code: 'container.not-found',
  })
})
