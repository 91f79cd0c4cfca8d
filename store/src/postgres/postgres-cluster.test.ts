import type { Log, Note, ServerId } from '@gantry/control'
import type { ContainerId, HostId } from '@gantry/model'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import pg from 'pg'
import { startPostgres, type TestPostgres } from '../testing/postgres.ts'
import { openPostgres } from './open.ts'
import { type PostgresCluster, postgresCluster } from './postgres-cluster.ts'

const silent: Log = { info() {}, warn() {}, error() {} }
let postgres: TestPostgres
let url: string
const wish = (id: string): Note => ({ kind: 'wish', id: id as ContainerId, hostId: 'h' as HostId, rewired: false })

beforeAll(async () => {
  postgres = await startPostgres()
  url = await postgres.database()
  await (await openPostgres(url)).destroy()
}, 60_000)
afterAll(() => postgres[Symbol.asyncDispose]())

async function aServer(name: string, { joins = true, beatMs = 100, deadMs = 600 } = {}) {
  const self = { id: `${name}-${Math.random()}` as ServerId, name, version: '1', startedAt: Date.now() }
  const cluster = await postgresCluster({ url, self, log: silent, beatMs, deadMs, pauseMs: 50 })
  const heard: string[] = []
  cluster.onNote((note, from) => heard.push(`${from.split('-')[0]} ${note.kind === 'wish' ? note.id : note.kind}`))
  cluster.onMissed(() => heard.push('missed'))
  cluster.onLost(async (id) => void heard.push(`lost ${id.split('-')[0]}`))
  onTestFinished(() => cluster[Symbol.asyncDispose]())
  if (joins) await cluster.join({ peer: `${self.id}:1`, agents: null })
  return { cluster, heard, self }
}

async function until(ready: () => boolean | Promise<boolean>, ms = 5_000): Promise<void> {
  for (const end = Date.now() + ms; !(await ready()); ) {
    if (Date.now() > end) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** As a kill -9 would. */
async function kill(cluster: PostgresCluster, id: ServerId) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
    `gantry line ${id}`,
  ])
  await client.end()
}

test('what one server tells, all others hear, whole and in order, however much it is', async () => {
  const [one, two, three] = [await aServer('one'), await aServer('two'), await aServer('three')]
  // From then on the first knows that it is heard.
  await until(() => two.heard.includes('missed'))
  for (let n = 0; n < 3000; n += 1) one.cluster.tell(wish(`c${n}`))
  const all = Array.from({ length: 3000 }, (_, n) => `one c${n}`)
  for (const { heard } of [two, three]) {
    await until(() => heard.length >= 3000)
    expect(heard.filter((line) => line !== 'missed')).toEqual(all)
  }
  expect(one.heard.filter((line) => line !== 'missed')).toEqual([])
})

test('of a dead server exactly one other hears, however many there are; of one that leaves at once', async () => {
  const [one, two, three] = [await aServer('one'), await aServer('two'), await aServer('three')]
  const db = new pg.Client({ connectionString: url })
  await db.connect()
  onTestFinished(() => db.end())
  const lost = (of: string) => [two, three].flatMap(({ heard }) => heard.filter((line) => line === `lost ${of}`)).length
  await one.cluster[Symbol.asyncDispose]()
  await until(() => lost('one') === 1, 500)
  // Long dead: nobody writes its signs of life.
  await db.query("insert into servers values ('four-1', 'four', null, null, '1', 0, 1)")
  await until(() => lost('four') === 1)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect([lost('one'), lost('four')]).toEqual([1, 1])
  expect((await two.cluster.members()).map(({ name }) => name)).toEqual(['two', 'three'])
})

test('one server leads at a time; when its line breaks it stops at once, and another goes on', async () => {
  const servers = [await aServer('one'), await aServer('two')]
  const log: string[] = []
  let leading = 0
  for (const { cluster, self } of servers) {
    cluster.lead('sweep', async (signal) => {
      leading += 1
      log.push(self.name)
      expect(leading).toBe(1)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      leading -= 1
    })
  }
  await until(() => log.length === 1)
  const leader = servers.find(({ self }) => self.name === log[0])
  const other = servers.find((server) => server !== leader)
  if (!leader || !other) throw new Error('nobody leads')
  await leader.cluster[Symbol.asyncDispose]()
  await until(() => log.length === 2, 1000)
  expect(log[1]).toBe(other.self.name)
})

test('a server that was cut off looks at everything anew, and is heard again', async () => {
  const [one, two] = [await aServer('one'), await aServer('two')]
  const turns: string[] = []
  one.cluster.lead('round', async (signal) => {
    turns.push('begun')
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    turns.push('stopped')
  })
  await until(() => turns.length === 1)
  one.heard.length = 0
  await kill(one.cluster, one.self.id)
  await until(() => turns.includes('stopped'), 500)
  one.cluster.tell(wish('late'))
  await until(() => two.heard.includes('one late'))
  expect(one.heard).toContain('missed')
  await until(() => turns.length >= 3)
})

test('a server that stood still is taken for dead, knows it afterwards, and comes back', async () => {
  const one = await aServer('one', { beatMs: 500 })
  const two = await aServer('two')
  const db = new pg.Client({ connectionString: url })
  await db.connect()
  onTestFinished(() => db.end())
  await until(() => two.heard.includes('missed'))
  // As if its signs of life had been missing, until the other is sure enough of its own.
  await until(async () => {
    await db.query('update servers set seen_at = 1 where id = $1', [one.self.id])
    return two.heard.includes('lost one')
  })
  one.heard.length = 0
  await until(() => one.heard.includes('missed'))
  await until(async () => (await two.cluster.members()).length === 2)
})

test('what a server did while it knew of no other is looked up by one that comes back', async () => {
  const one = await aServer('one', { beatMs: 300, deadMs: 60_000 })
  const two = await aServer('two', { beatMs: 2_000, deadMs: 60_000 })
  await until(() => two.heard.includes('missed'))
  const db = new pg.Client({ connectionString: url })
  await db.connect()
  onTestFinished(() => db.end())
  two.heard.length = 0
  // As a third server would that takes it for dead. It finds that out after the first has, and is back before the first knows.
  await db.query('delete from servers where id = $1', [two.self.id])
  await until(() => two.heard.includes('missed'))
  one.cluster.tell(wish('told to nobody'))
  await until(
    () => two.heard.includes('one told to nobody') || two.heard.filter((line) => line === 'missed').length > 1,
  )
})

test('what servers do in turn they never do at once, and a turn ends with its server', async () => {
  const [one, two] = [await aServer('one'), await aServer('two')]
  let inside = 0
  let most = 0
  const step = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setTimeout(resolve, 10))
    inside -= 1
  }
  for (let round = 0; round < 5; round += 1) {
    await Promise.all([one, two].map(({ cluster }) => cluster.inTurn('row 7', step)))
  }
  expect(most).toBe(1)
  const held = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const turn = one.cluster.inTurn('row 9', () => {
    begun.resolve()
    return held.promise
  })
  await begun.promise
  const nothing = async () => undefined
  expect(await two.cluster.ifFree('row 9', () => Promise.reject(new Error('done all the same')))).toBe(false)
  held.resolve()
  await turn
  expect(await two.cluster.ifFree('row 9', nothing)).toBe(true)
  expect(await one.cluster.ifFree('row 9', nothing)).toBe(true)
  void one.cluster.inTurn('row 8', () => new Promise(() => undefined)).catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await kill(one.cluster, one.self.id)
  await two.cluster.inTurn('row 8', async () => undefined)
})
