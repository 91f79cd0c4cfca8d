import type { ChangePage, ChangeWatch, RecordedChange } from '@gantry/control'
import { defaultSpec } from '@gantry/model'
import { afterEach, expect, test } from 'vitest'
import { aCaller, aWorld, type World } from './testing/a-world.ts'

const open: World[] = []
afterEach(async () => {
  for (const world of open.splice(0)) await world[Symbol.asyncDispose]()
})

async function newWorld(): Promise<World> {
  const world = await aWorld()
  open.push(world)
  return world
}

const me = aCaller()
const spec = defaultSpec('busybox:latest')
const whole: ChangeWatch = { since: '0', types: [], follow: false }

async function read({ control }: World, watch: Partial<ChangeWatch> = {}, caller = me): Promise<RecordedChange[]> {
  const found: RecordedChange[] = []
  const pages = control.events.changes(caller, { ...whole, ...watch }, new AbortController().signal)
  for await (const { changes } of pages) found.push(...changes)
  return found
}

const typesOf = (changes: readonly RecordedChange[]) => changes.map(({ type }) => type)

test('every change of a container is written down once, with its beginning and its end', async () => {
  const world = await newWorld()
  const { control, host } = world
  const made = await control.containers.create(me, { name: 'web', spec, run: true })
  await host.idle()
  await control.containers.stop(me, 'web', { graceSeconds: 1 })
  await host.idle()
  await host.exit(made.id, 0)
  await control.containers.delete(me, 'web', { force: false, stop: false })
  await host.idle()
  const ofContainer = (await read(world, { objectId: made.id })).filter(({ type }) => type !== 'container.status')
  expect(typesOf(ofContainer)).toEqual([
    'container.create.start',
    'container.create.end',
    'container.stop.start',
    'container.stop.end',
    'container.delete.start',
    'container.delete.end',
  ])
  expect(ofContainer[1]).toMatchObject({
    projectId: me.projectId,
    userId: me.userId,
    requestId: me.requestId,
    // Where it is is the operator's business.
    data: { name: 'web', image: 'busybox:latest', status: 'Running', host: null, error: null },
  })
  expect(JSON.stringify(ofContainer)).not.toContain('environment')
  expect(new Set(ofContainer.map(({ number }) => number)).size).toBe(ofContainer.length)
})

test('a failure is an error event; a process that ends by itself is a change of status', async () => {
  const world = await newWorld()
  const { control, host } = world
  const made = await control.containers.create(me, { name: 'job', spec, run: true })
  await host.idle()
  await host.exit(made.id, 3)
  const [status] = await read(world, { types: ['container.status'], objectId: made.id })
  expect(status?.data).toMatchObject({ before: 'Running', status: 'Stopped', exitCode: 3 })
  host.failing = { step: 'start', reason: 'no such command' }
  await control.containers.create(me, { name: 'bad', spec, run: true })
  await host.idle()
  const [failed] = await read(world, { types: ['container.create.error'] })
  expect(failed?.data).toMatchObject({ name: 'bad', status: 'Error', error: 'no such command' })
})

test('what was refused leaves no trace, nor does what was rolled back', async () => {
  const world = await newWorld()
  const { control, store } = world
  await expect(control.containers.start(me, 'none')).rejects.toMatchObject({ code: 'container.not-found' })
  const failing = store.transaction(async (tables) => {
    await tables.quotas.setProject(me.projectId, { cpu: 1 })
    throw new Error('not so')
  })
  await expect(failing).rejects.toThrow('not so')
  expect(typesOf(await read(world)).filter((type) => !type.startsWith('network.'))).toEqual([])
  await store.quotas.setProject(me.projectId, { cpu: 1 })
  expect((await read(world, { types: ['quota.*'] }))[0]?.data).toEqual({ limits: { cpu: 1 } })
})

test('a reader goes on from its cursor, and sees no other project', async () => {
  const world = await newWorld()
  const { control, host } = world
  const other = aCaller('others')
  await control.containers.create(me, { name: 'one', spec, run: false })
  await control.containers.create(other, { name: 'theirs', spec, run: false })
  await host.idle()
  const all = await read(world)
  expect(new Set(all.map(({ projectId }) => projectId))).toEqual(new Set([me.projectId]))
  for (const [at, { cursor }] of all.entries()) {
    expect(await read(world, { since: cursor })).toEqual(all.slice(at + 1))
  }
  await expect(read(world, { allProjects: true })).rejects.toMatchObject({ code: 'policy.forbidden' })
  const admins = await read(world, { allProjects: true }, aCaller('admins', ['admin']))
  expect(typesOf(admins)).toContain('host.create')
  expect(admins.length).toBeGreaterThan(all.length)
  for (const since of ['x', '1', '1.2.3', '-1.1', '9'.repeat(40)]) {
    await expect(read(world, { since })).rejects.toMatchObject({ code: 'request.invalid' })
  }
  await expect(read(world, { types: ["container.%' or 1"] })).rejects.toMatchObject({ code: 'request.invalid' })
})

test('a reader that follows hears what comes, and ends with its signal', async () => {
  const world = await newWorld()
  const end = new AbortController()
  const pages: ChangePage[] = []
  const watch = { ...whole, since: 'now', types: ['container.create.start'], follow: true }
  const events = world.control.events.changes(me, watch, end.signal)
  await events.next()
  await world.control.containers.create(me, { name: 'late', spec, run: false })
  for await (const page of events) {
    pages.push(page)
    if (pages.some(({ changes }) => changes.length > 0)) end.abort()
  }
  expect(pages.at(-1)?.changes[0]?.data).toMatchObject({ name: 'late' })
})

test('what is too old is removed in steps, and who would miss something is told so', async () => {
  const world = await newWorld()
  const { store } = world
  await store.quotas.setProject(me.projectId, { cpu: 0 })
  const [first] = await read(world)
  for (let cpu = 1; cpu <= 5; cpu += 1) await store.quotas.setProject(me.projectId, { cpu })
  const all = await read(world)
  expect(await store.changes.prune({ before: 0, keep: 2, most: 2 })).toBe(2)
  expect(await store.changes.prune({ before: 0, keep: 2, most: 100 })).toBeGreaterThan(2)
  expect(await store.changes.prune({ before: 0, keep: 2, most: 100 })).toBe(0)
  expect(await read(world)).toEqual(all.slice(-2))
  await expect(read(world, { since: first?.cursor ?? '' })).rejects.toMatchObject({ code: 'events.gone' })
  expect(await store.changes.prune({ before: Number.MAX_SAFE_INTEGER, keep: 2, most: 100 })).toBe(2)
  expect(await read(world)).toEqual([])
  expect(await read(world, { since: all.at(-1)?.cursor ?? '' })).toEqual([])
})

test('a reader may begin with the newest few', async () => {
  const world = await newWorld()
  for (const name of ['one', 'two', 'three']) await world.control.containers.create(me, { name, spec, run: false })
  await world.host.idle()
  const everything = await read(world, { types: ['container.create.end'] })
  const newest = await read(world, { since: 'now', last: 2, types: ['container.create.end'] })
  expect(newest).toEqual(everything.slice(-2))
})
