import type { MountRequest } from '@gantry/control'
import type { ContainerId, Volume } from '@gantry/model'
import { expect, test } from 'vitest'
import { one, openVolumeWorld as open, ours, two } from './testing/volume-world.ts'

const web = 'container-web' as ContainerId
const db = 'container-db' as ContainerId
const data = { name: 'data', size: 10, shared: true, labels: { a: 'b' }, options: { size: '10' } }

type World = Awaited<ReturnType<typeof open>>

function place(world: World, container: ContainerId, host = one) {
  return world.transact((tables) => world.provider.place(tables, container, host))
}

async function only({ provider }: World): Promise<Volume | undefined> {
  const [volume, second] = await provider.volumes.list(ours)
  expect(second).toBeUndefined()
  return volume
}

test('a shared volume gets its host with the first container, and another container may have it too', async () => {
  await using world = await open()
  const { id } = await world.provider.volumes.create(ours, data)
  expect(world.told).toEqual([])
  expect(await only(world)).toMatchObject({ ...data, hostId: null, status: 'available' })
  await world.reserve(web, 'data')
  await world.reserve(db, 'data')
  const [mount] = await world.reserve(db, 'data')
  await place(world, web)
  await expect.poll(() => world.told).toMatchObject([[one, { id, made: false, gone: false }]])
  expect(mount && (await world.transact((tables) => world.provider.hostOf(tables, [mount])))).toBe(one)
  // Its place stays, whoever comes next.
  await place(world, db, two)
  await world.report(one, id, 'available')
  expect(await only(world)).toMatchObject({ hostId: one, status: 'in-use', containerId: null })

  await world.release(web)
  await world.release(web)
  await expect(world.provider.volumes.delete(ours, 'data')).rejects.toThrow('container container-db has it')
  expect(await only(world)).toMatchObject({ status: 'in-use' })
  await world.release(db)
  expect(await only(world)).toMatchObject({ status: 'available' })
  await world.provider.volumes.delete(ours, 'data')
  expect(await only(world)).toMatchObject({ status: 'deleting' })
  await expect(world.reserve(web, 'data')).rejects.toMatchObject({ code: 'volume.state' })
  await world.report(one, id, 'gone')
  expect(await only(world)).toBeUndefined()
})

test('one that never had a container is gone at once', async () => {
  await using world = await open()
  await world.provider.volumes.create(ours, data)
  await world.reserve(web, 'data')
  await world.release(web)
  expect(await only(world)).toMatchObject({ status: 'available', hostId: null })
  await world.provider.volumes.delete(ours, 'data')
  expect(await only(world)).toBeUndefined()
})

test('one that is being made when it is given back becomes available', async () => {
  await using world = await open()
  const { id } = await world.provider.volumes.create(ours, data)
  await world.reserve(web, 'data')
  await place(world, web)
  await world.release(web)
  await world.report(one, id, 'available')
  expect(await only(world)).toMatchObject({ status: 'available', hostId: one })
})

test('an anonymous one goes with the last container that has it', async () => {
  await using world = await open()
  const fresh: MountRequest = { kind: 'new', size: 1, destination: '/d', readOnly: false, shared: true, fill: true }
  const [mount] = await world.transact((tables) => world.provider.reserve(tables, ours, web, [fresh]))
  expect(mount).toMatchObject({ kind: 'volume', destination: '/d', fill: true })
  const volume = await only(world)
  await place(world, web)
  await world.report(one, volume?.id ?? '', 'available')
  await world.reserve(db, volume?.id ?? '')
  await world.release(web)
  expect(await only(world)).toMatchObject({ status: 'in-use', ephemeral: true })
  await world.release(db)
  expect(await only(world)).toMatchObject({ status: 'deleting' })
})

test('one that its host had no room to make is made for the next container, not held to be lost', async () => {
  await using world = await open()
  const { id } = await world.provider.volumes.create(ours, data)
  await world.reserve(web, 'data')
  await place(world, web)
  await world.report(one, id, 'error', 'The disk of the host is full.')
  expect(await only(world)).toMatchObject({ status: 'creating', statusReason: 'The disk of the host is full.' })

  const [mount] = await world.reserve(db, 'data')
  expect(await world.source.ofMounts(mount ? [mount] : [], one)).toMatchObject([{ id, made: false }])
  await world.report(one, id, 'available')
  expect(await only(world)).toMatchObject({ status: 'in-use', statusReason: null })
  // From now on there is something to lose.
  await world.report(one, id, 'error', 'The data of the volume is missing on the host.')
  expect(await only(world)).toMatchObject({ status: 'error' })
})

test('a copy that could not be made stays in error, so that its source may go', async () => {
  await using world = await open()
  const source = await world.available('source')
  const { id } = await world.provider.volumes.create(ours, { name: 'copy', size: 1, shared: true, volume: source })
  await world.report(two, id, 'error', 'The disk of the host is full.')
  expect(await world.provider.volumes.get(ours, id)).toMatchObject({ status: 'error' })
})
