import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld, simHostId, type World } from './testing/a-world.ts'

const spec = defaultSpec('busybox')
const me = aCaller()

async function running(world: World) {
  const { id } = await world.control.containers.create(me, { name: 'web', spec, run: true })
  await world.host.idle()
  return id
}
const shown = async ({ control }: World) => {
  const { status, task, observed } = await control.containers.get(me, 'web')
  return { status, task, startedAt: observed.engine?.startedAt, generation: observed.engine?.generation }
}
const unfinished = async ({ control }: World) =>
  (await control.containers.actions(me, 'web')).filter(({ finishedAt }) => finishedAt === null).map(({ name }) => name)

test.each(['before the old one went', 'between the two', 'after the new one was made'])(
  'a server and a host that lose each other in a rebuild, %s, finish it',
  async (when) => {
    await using world = await aWorld()
    const id = await running(world)
    await world.host.disconnect()
    await world.control.containers.rebuild(me, 'web', {})
    const old = world.host.engine.get(id)
    if (when === 'between the two') world.host.engine.delete(id)
    if (when === 'after the new one was made' && old) {
      world.host.engine.set(id, { ...old, engineId: 'e2', generation: 2, state: 'created', startedAt: null })
    }
    await world.restart()
    await world.host.idle()
    expect(await shown(world)).toMatchObject({ status: 'Running', task: null, generation: 2 })
    expect(await unfinished(world)).toEqual([])
  },
)

test('two starts at once start it once, and both end', async () => {
  await using world = await aWorld()
  await world.control.containers.create(me, { name: 'web', spec, run: false })
  await world.host.idle()
  await Promise.all([1, 2].map(() => world.control.containers.start(me, 'web')))
  await world.host.idle()
  expect(await shown(world)).toMatchObject({ status: 'Running', startedAt: 't1' })
  expect(await unfinished(world)).toEqual([])
})

test('a start while a stop is under way is refused; right after it, it starts anew', async () => {
  await using world = await aWorld()
  await running(world)
  const { startedAt } = await shown(world)
  const stopped = world.control.containers.stop(me, 'web', { graceSeconds: 0 })
  await expect(world.control.containers.start(me, 'web')).rejects.toMatchObject({ code: 'container.state' })
  await stopped
  await world.host.idle()
  await world.control.containers.start(me, 'web')
  await world.host.idle()
  const after = await shown(world)
  expect(after.status).toBe('Running')
  expect(after.startedAt).not.toBe(startedAt)
})

test('a delete that meets reports of all kinds stays a delete', async () => {
  await using world = await aWorld()
  const id = await running(world)
  const engine = world.host.engine.get(id) ?? null
  const late = (settled: number) =>
    world.reconciler.reports.observed(simHostId, id, { engine, settled, failure: null }, false)
  await Promise.all([
    late(1),
    world.control.containers.reboot(me, 'web', { graceSeconds: 0 }),
    world.control.containers.delete(me, 'web', { force: false, stop: true }),
    late(1),
    world.control.containers.delete(me, 'web', { force: false, stop: true }),
  ])
  await late(2)
  await world.host.idle()
  await expect(world.control.containers.get(me, id)).rejects.toMatchObject({ code: 'container.not-found' })
  expect(world.host.engine.size).toBe(0)
  const left = await world.store.actions.list(id)
  expect(left.every(({ finishedAt }) => finishedAt !== null)).toBe(true)
  expect((await world.control.quotas.get(me, me.projectId)).used.containers).toBe(0)
})

test('a host that says hello while changes go on ends with the newest wish', async () => {
  await using world = await aWorld()
  await running(world)
  await world.host.disconnect()
  await Promise.all([
    world.host.connect(),
    world.control.containers.stop(me, 'web', { graceSeconds: 0 }),
    world.control.containers.rename(me, 'web', 'web2'),
  ])
  await world.host.idle()
  const { status, wish, observed } = await world.control.containers.get(me, 'web2')
  expect({ status, settled: observed.settled }).toEqual({ status: 'Stopped', settled: wish.version })
})
