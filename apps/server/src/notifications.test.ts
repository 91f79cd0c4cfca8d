import { runNotifier } from '@gantry/providers-messaging'
import { defaultSpec } from '@gantry/model'
import { connect } from 'amqplib'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startBroker, type TestBroker } from './testing/a-broker.ts'
import { aCaller, aWorld, type World } from './testing/a-world.ts'

let broker: TestBroker
const opened: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  broker = await startBroker()
}, 90_000)
afterAll(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  await broker[Symbol.asyncDispose]()
}, 30_000)

const me = aCaller()
const spec = { ...defaultSpec('busybox:latest'), cpu: 2, memory: 256 }

interface Told {
  readonly message_id: string
  readonly event_type: string
  readonly publisher_id: string
  readonly priority: string
  readonly timestamp: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly _context_project_id: string | null
}

function notify({ store, clock }: World, topic: string) {
  const end = new AbortController()
  const log = { info() {}, warn() {}, error() {} }
  const { url } = broker
  const named = { url, exchange: 'nova', topic, deployment: 'cloud', usagePeriod: 3600 }
  const whole = runNotifier({ ...named, store, clock: { now: () => clock.at }, log, gauges: {} }, end.signal)
  const stop = async () => {
    end.abort()
    await whole
  }
  opened.push(stop)
  return { stop }
}

/** What lies in the queues, in order, as oslo.messaging's listener would read it. */
async function taken(topic: string): Promise<Told[]> {
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createChannel()
    channel.on('error', () => undefined)
    const told: Told[] = []
    for (const queue of [`${topic}.info`, `${topic}.error`]) {
      for (let got = await channel.get(queue); got !== false; got = await channel.get(queue)) {
        expect(got.properties).toMatchObject({ contentType: 'application/json', deliveryMode: 2 })
        const envelope = JSON.parse(got.content.toString()) as Record<string, string>
        expect(envelope['oslo.version']).toBe('2.0')
        told.push(JSON.parse(envelope['oslo.message'] ?? '') as Told)
        channel.ack(got)
      }
    }
    return told
  } finally {
    await connection.close()
  }
}

async function newWorld(): Promise<World> {
  const world = await aWorld()
  opened.push(async () => world[Symbol.asyncDispose]())
  return world
}

async function create({ control, host }: World, name: string): Promise<string> {
  const { id } = await control.containers.create(me, { name, spec, run: true })
  await host.idle()
  return id
}

test('a container is told of as OpenStack tells of instances, its failure with the priority of errors', async () => {
  const world = await newWorld()
  notify(world, 'one')
  await vi.waitFor(async () => expect(await world.store.changes.mark('notifications')).toBeDefined(), 10_000)
  const id = await create(world, 'web')
  world.host.failing = { step: 'start', reason: 'no such command' }
  await create(world, 'bad')
  world.host.failing = null
  await world.control.containers.delete(me, 'web', { force: false, stop: true })
  await world.host.idle()
  const told: Told[] = []
  await vi.waitFor(async () => {
    told.push(...(await taken('one')))
    expect(told.map(({ event_type }) => event_type)).toContain('compute.container.delete.end')
  }, 20_000)
  const ofWeb = told.filter(({ payload }) => payload['instance_id'] === id)
  expect(ofWeb.map(({ event_type }) => event_type)).toEqual(
    ['create.start', 'create.end', 'delete.start', 'delete.end'].map((what) => `compute.container.${what}`),
  )
  expect(ofWeb[1]).toMatchObject({
    publisher_id: 'compute.sim',
    priority: 'INFO',
    _context_project_id: me.projectId,
    payload: { tenant_id: me.projectId, user_id: me.userId, display_name: 'web', state: 'active', vcpus: 2 },
  })
  expect(ofWeb[1]?.payload).toMatchObject({ memory_mb: 256, image_name: 'busybox:latest', host: 'sim' })
  expect(ofWeb[3]?.payload).toMatchObject({ state: 'deleted', deleted_at: expect.stringMatching(/^2023-/) })
  expect(told.find(({ priority }) => priority === 'ERROR')).toMatchObject({
    event_type: 'compute.container.create.error',
    payload: { display_name: 'bad', message: 'no such command' },
  })
}, 60_000)

test('a broker that is killed is told afterwards of all that happened, and a server that is killed tells again with the same ids', async () => {
  const world = await newWorld()
  const first = notify(world, 'two')
  await vi.waitFor(async () => expect(await world.store.changes.mark('notifications')).toBeDefined(), 10_000)
  await create(world, 'before')
  await vi.waitFor(async () => expect((await world.store.changes.after(await markOf(world), all)).changes).toEqual([]))
  await broker.kill()
  for (let n = 0; n < 5; n += 1) await create(world, `while-${n}`)
  await broker.start()
  await vi.waitFor(
    async () => expect((await world.store.changes.after(await markOf(world), all)).changes).toEqual([]),
    {
      timeout: 40_000,
      interval: 200,
    },
  )
  await first.stop()
  const told = await taken('two')
  const names = told
    .filter(({ event_type }) => event_type.endsWith('create.end'))
    .map(({ payload }) => payload['display_name'])
  expect([...new Set(names)]).toEqual(['before', 'while-0', 'while-1', 'while-2', 'while-3', 'while-4'])
  // As if it had died before it wrote down how far it had come.
  await world.store.changes.setMark('notifications', '0.0' as Awaited<ReturnType<typeof markOf>>)
  const second = notify(world, 'two')
  await vi.waitFor(
    async () => expect((await world.store.changes.after(await markOf(world), all)).changes).toEqual([]),
    20_000,
  )
  await second.stop()
  const again = await taken('two')
  expect(new Set(again.map(({ message_id }) => message_id))).toEqual(new Set(told.map(({ message_id }) => message_id)))
}, 120_000)

test('usage of every container is told once for each period', async () => {
  const world = await newWorld()
  notify(world, 'three')
  await vi.waitFor(async () => expect(await world.store.changes.mark('usage')).toBeDefined(), 10_000)
  await create(world, 'aa')
  await create(world, 'bb')
  await taken('three')
  world.clock.at += 3_600_000
  const told: Told[] = []
  await vi.waitFor(async () => {
    told.push(...(await taken('three')))
    expect(told.filter(({ event_type }) => event_type === 'compute.container.exists')).toHaveLength(2)
  }, 20_000)
  const [one] = told.filter(({ event_type }) => event_type === 'compute.container.exists')
  expect(one?.payload).toMatchObject({
    audit_period_beginning: '2023-11-14 22:00:00',
    audit_period_ending: '2023-11-14 23:00:00',
    state: 'active',
  })
}, 60_000)

const all = { scope: null, types: ['container.*'], limit: 100 }

async function markOf({ store }: World) {
  const mark = await store.changes.mark('notifications')
  if (mark === undefined) throw new Error('nothing was told yet')
  return mark
}
