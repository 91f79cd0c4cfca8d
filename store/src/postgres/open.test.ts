import { projectLock } from '@gantry/control'
import type { ContainerId, ProjectId, SubnetId } from '@gantry/model'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStore } from '../store.ts'
import { startPostgres, type TestPostgres } from '../testing/postgres.ts'
import { aContainer, aNetwork, aPort, ours, wire } from '../testing/samples.ts'
import { openPostgres } from './open.ts'

const subnet = 's1' as SubnetId

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres[Symbol.asyncDispose]())

test('several servers may bring one schema up to date at once, and text sorts by bytes', async () => {
  const url = await postgres.database()
  const all = await Promise.all([openPostgres(url), openPostgres(url), openPostgres(url)])
  const [db] = all
  const { rows } = await sql<{ collations: string }>`select string_agg(distinct collation_name, ',') as collations
    from information_schema.columns where table_schema = 'public' and data_type = 'text'`.execute(db)
  expect(rows).toEqual([{ collations: 'C' }])
  for (const each of all) await each.destroy()
})

test('transactions exclude those that share a lock, and those without any exclude all', async () => {
  const url = await postgres.database()
  const db = await openPostgres(url)
  const store = createStore(db)
  const [a, b] = ['a', 'b'].map((id) => projectLock(id as ProjectId)) as [never, never]
  const order: string[] = []
  const held = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const first = store.transaction(async () => {
    begun.resolve()
    await held.promise
    order.push('first')
  }, [a])
  await begun.promise
  await store.transaction(async () => void order.push('beside'), [b])
  const same = store.transaction(async () => void order.push('same'), [b, a])
  const alone = store.transaction(async () => void order.push('alone'))
  await expect(Promise.race([same, alone, new Promise((resolve) => setTimeout(resolve, 100, 'waits'))])).resolves.toBe(
    'waits',
  )
  expect(order).toEqual(['beside'])
  held.resolve()
  await Promise.all([first, same, alone])
  expect(order.slice(0, 2)).toEqual(['beside', 'first'])
  expect(order).toHaveLength(4)
  await db.destroy()
})

test('a database that went away is named, and used again when it is back', async () => {
  const url = await postgres.database()
  const db = await openPostgres(url, { patienceMs: 500 })
  const store = createStore(db)
  expect(await store.hosts.list()).toEqual([])
  await postgres.kill()
  await expect(store.hosts.list()).rejects.toMatchObject({ code: 'store.unavailable' })
  await expect(store.transaction(async (tables) => tables.hosts.list())).rejects.toMatchObject({
    code: 'store.unavailable',
  })
  await postgres.start()
  await expect.poll(() => store.hosts.list().catch(() => 'away')).toEqual([])
  await db.destroy()
})

test('projects that share a network choose its addresses one after another, each under the lock of its own', async () => {
  const db = await openPostgres(await postgres.database())
  const store = createStore(db)
  await store.networks.insert(aNetwork(wire, { shared: true }))
  const pools = [{ start: '10.0.0.2', end: '10.0.0.200' }]
  const about = {
    networkId: wire,
    projectId: ours,
    name: '',
    version: 4,
    gateway: null,
    dnsServers: [],
    createdAt: 1,
  } as const
  await store.subnets.insert({ ...about, id: subnet, cidr: '10.0.0.0/24', pools })
  const take = (number: number) =>
    store.transaction(
      async ({ ports }) => {
        const taken = await ports.addressesOf(subnet)
        await ports.insert(aPort(number, { fixedIps: [{ subnetId: subnet, address: `10.0.0.${taken.length + 2}` }] }))
      },
      [projectLock(`p${number}` as ProjectId)],
    )
  await Promise.all(Array.from({ length: 20 }, (_, number) => take(number)))
  expect(new Set(await store.ports.addressesOf(subnet)).size).toBe(20)
  await db.destroy()
})

test('of two transactions that wait for each other one is done again, and both succeed', async () => {
  const db = await openPostgres(await postgres.database())
  const store = createStore(db)
  const ids = ['c1', 'c2'] as [string, string]
  for (const id of ids) await store.containers.insert(aContainer(id))
  let attempts = 0
  let holding = 0
  const both = Promise.withResolvers<void>()
  const rename = (order: readonly string[], project: string) =>
    store.transaction(
      async ({ containers }) => {
        attempts += 1
        for (const [at, id] of order.entries()) {
          await containers.update(id as ContainerId, { name: `by ${project}` })
          if (at > 0) continue
          holding += 1
          if (holding === 2) both.resolve()
          await both.promise
        }
      },
      [projectLock(project as ProjectId)],
    )
  await Promise.all([rename(ids, 'p1'), rename(ids.toReversed(), 'p2')])
  expect(attempts).toBe(3)
  const [first, second] = await store.containers.getMany(ids as unknown as ContainerId[])
  expect(first?.name).toBe(second?.name)
  await db.destroy()
})

test('a crowd that waits for one project leaves connections to those that read', async () => {
  const url = await postgres.database()
  const db = await openPostgres(url, { patienceMs: 300 })
  const store = createStore(db)
  const lock = projectLock('a' as ProjectId)
  const held = Promise.withResolvers<void>()
  const crowd = Array.from({ length: 50 }, (_, index) =>
    store.transaction(
      async (tables) => {
        if (index === 0) await held.promise
        return tables.hosts.list()
      },
      [lock],
    ),
  )
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(await store.hosts.list()).toEqual([])
  expect(await store.transaction(async (tables) => tables.hosts.list(), [projectLock('b' as ProjectId)])).toEqual([])
  held.resolve()
  expect(await Promise.all(crowd)).toHaveLength(50)
  await db.destroy()
})
