import type { ServerId } from '@gantry/control'
import { type ContainerId, defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld, simHostId, type World } from './testing/a-world.ts'

const caller = aCaller()
const elsewhere = 'another-server' as ServerId
const spec = (name: string) => ({ name, spec: defaultSpec('busybox'), run: true })

test('what an older session of a host reports is refused once the host has a newer one elsewhere', async () => {
  await using world = await aWorld()
  const { id } = await world.control.containers.create(caller, spec('web'))
  await world.host.idle()
  const before = await world.store.containers.get(id)
  expect(before?.status).toBe('Running')
  const newer = await world.store.sessions.open(simHostId, elsewhere, 1)
  expect(newer).toBe(2)
  await world.host.exit(id, 3)
  await world.host.idle()
  expect(await world.store.containers.get(id)).toEqual(before)
  // Nor can it say that the host is gone.
  await world.host.disconnect()
  expect(await world.store.sessions.get(simHostId)).toMatchObject({ serverId: elsewhere, number: 2 })
})

test('a hello within a session that is no more the newest ends it, and takes the host from nobody', async () => {
  await using world = await aWorld()
  await world.store.sessions.open(simHostId, elsewhere, 1)
  await expect(world.host.connect()).rejects.toThrow('another server')
  expect(await world.store.sessions.get(simHostId)).toMatchObject({ serverId: elsewhere, number: 2 })
})

test('a host is lost once for each time that it hangs nowhere', async () => {
  await using world = await aWorld()
  const { sessions } = world.store
  expect(await sessions.lose(simHostId)).toBe(false)
  await world.host.disconnect()
  expect([await sessions.lose(simHostId), await sessions.lose(simHostId)]).toEqual([true, false])
  await world.host.connect()
  await world.host.disconnect()
  expect(await sessions.lose(simHostId)).toBe(true)
})

test('a call that a living server has under way is left alone; that of one that is gone is ended with a reason', async () => {
  const forever = new Promise<never>(() => undefined)
  await using world = await aWorld({ calls: { kill: () => forever } })
  const { id } = await world.control.containers.create(caller, spec('web'))
  await world.host.idle()
  await world.control.containers.kill(caller, id, 'SIGTERM')
  const unfinished = async () => (await world.store.actions.list(id)).filter(({ finishedAt }) => finishedAt === null)
  expect(await unfinished()).toHaveLength(1)
  await world.reconciler.recover()
  expect(await unfinished()).toHaveLength(1)
  await world.restart()
  expect(await unfinished()).toHaveLength(0)
})

test('a host that comes back with nothing new hears nothing of its containers, and goes on as ever', async () => {
  await using world = await aWorld()
  const { id } = await world.control.containers.create(caller, spec('web'))
  await world.host.idle()
  const before = await world.store.containers.get(id)
  await world.restart()
  expect(world.host.kept).toBe(true)
  await world.host.idle()
  expect(await world.store.containers.get(id)).toEqual(before)
  await world.host.exit(id, 3)
  await world.host.idle()
  expect((await world.store.containers.get(id))?.status).toBe('Stopped')
  await world.control.containers.create(caller, spec('another'))
  await world.control.containers.delete(caller, id, { force: false, stop: false })
  await world.host.idle()
  expect([...world.host.engine.values()].map(({ state }) => state)).toEqual(['running'])
})

test.each<[what: string, meanwhile: (world: World, id: ContainerId) => Promise<unknown>]>([
  ['its container ended', ({ host }, id) => host.exit(id, 3)],
  ['its container vanished', ({ host }, id) => host.becomes(id, null)],
  ['another wish was made', ({ control }, id) => control.containers.stop(caller, id, { graceSeconds: 1 })],
  ['it was lost', ({ store }, id) => store.containers.update(id, { hostLost: true, status: 'Unknown' })],
  ['a container of it was taken away', ({ store }, id) => store.containers.update(id, { hostId: null })],
  ['its interfaces changed', ({ store }, id) => store.containers.update(id, { nics: [] })],
])('one that comes back when %s hears everything', async (_what, meanwhile) => {
  await using world = await aWorld()
  const { id } = await world.control.containers.create(caller, spec('web'))
  await world.control.containers.create(caller, spec('other'))
  await world.host.idle()
  await world.host.disconnect()
  await meanwhile(world, id)
  await world.host.connect()
  expect(world.host.kept).toBe(false)
})
