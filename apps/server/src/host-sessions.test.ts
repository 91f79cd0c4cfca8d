import type { ServerId } from '@gantry/control'
import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld, simHostId } from './testing/a-world.ts'

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
