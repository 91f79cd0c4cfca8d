import type { ContainerId } from '@gantry/model'
import { describe, expect, test } from 'vitest'
import { one, openVolumeWorld, ours, theirs, two } from './testing/volume-world.ts'

const web = 'web' as ContainerId

describe('extending a volume', () => {
  test('is written and counted at once, and its host is told, whoever has it', async () => {
    await using cloud = await openVolumeWorld({ gigabytes: 10 })
    const { volumes } = cloud.provider
    const id = await cloud.available('data', 2)
    await cloud.reserve(web, 'data')
    expect(await volumes.extend(ours, 'data', 5)).toMatchObject({ size: 5, status: 'in-use' })
    expect(cloud.told.at(-1)).toEqual([two, expect.objectContaining({ id, size: 5, made: true, gone: false })])
    await cloud.report(two, id, 'available')
    expect(await volumes.get(ours, id)).toMatchObject({ size: 5, status: 'in-use', statusReason: null })
    await expect(volumes.extend(ours, id, 11)).rejects.toMatchObject({
      code: 'quota.exceeded',
      details: { resource: 'gigabytes', limit: 10, used: 5, asked: 6 },
    })
    expect(await volumes.extend(ours, id, 10)).toMatchObject({ size: 10 })
  })

  test.each([2, 1, 0, 2.5, Number.NaN])('from 2 to %d GiB is refused', async (size) => {
    await using cloud = await openVolumeWorld()
    await cloud.available('data', 2)
    await expect(cloud.provider.volumes.extend(ours, 'data', size)).rejects.toMatchObject({ code: 'request.invalid' })
  })

  test('needs room on its host, and a host that is there', async () => {
    await using cloud = await openVolumeWorld()
    await cloud.available('data', 60)
    await expect(cloud.provider.volumes.extend(ours, 'data', 101)).rejects.toMatchObject({
      code: 'placement.no-host',
      details: { reasons: 'the one that has the data is without 41 GiB of room' },
    })
    cloud.set(two, { up: false })
    await expect(cloud.provider.volumes.extend(ours, 'data', 61)).rejects.toThrow(
      'the one that has the data is not connected',
    )
    expect(await cloud.provider.volumes.get(ours, 'data')).toMatchObject({ size: 60 })
  })

  test('that its host could not do says why, and may be asked for again', async () => {
    await using cloud = await openVolumeWorld()
    const { volumes } = cloud.provider
    const id = await cloud.available('data', 2)
    await cloud.reserve(web, 'data')
    await volumes.extend(ours, id, 3)
    const reason = 'It could not be given 3 GiB: The disk of the host is full.'
    await cloud.report(two, id, 'available', reason)
    expect(await volumes.get(ours, id)).toMatchObject({ status: 'in-use', statusReason: reason })
    const before = cloud.told.length
    expect(await volumes.extend(ours, id, 3)).toMatchObject({ size: 3 })
    expect(cloud.told.slice(before)).toEqual([[two, expect.objectContaining({ id, size: 3 })]])
    await cloud.report(two, id, 'available')
    expect(await volumes.get(ours, id)).toMatchObject({ status: 'in-use', statusReason: null })
  })

  test('waits until nothing is being made of it', async () => {
    await using cloud = await openVolumeWorld()
    const { volumes, snapshots } = cloud.provider
    await cloud.available('data', 2)
    const clone = await volumes.create(ours, { name: 'clone', volume: 'data' })
    await expect(volumes.extend(ours, 'data', 3)).rejects.toThrow('volume clone is being made of it')
    await cloud.report(two, clone.id, 'available')
    const snapshot = await snapshots.create(ours, 'data', 'before')
    await expect(volumes.extend(ours, 'data', 3)).rejects.toThrow('snapshot before is being made of it')
    await cloud.report(two, snapshot.id, 'available', '', 'snapshot')
    expect(await volumes.extend(ours, 'data', 3)).toMatchObject({ size: 3 })
    await expect(volumes.extend(theirs, 'data', 4)).rejects.toMatchObject({ code: 'volume.not-found' })
  })
})

describe('a clone of a volume', () => {
  test('is made on the host of its data, at least as large, and remembers where it is from', async () => {
    await using cloud = await openVolumeWorld()
    const { volumes } = cloud.provider
    const id = await cloud.available('data', 2)
    await cloud.reserve(web, 'data')
    await expect(volumes.create(ours, { name: 'c', volume: 'data', size: 1 })).rejects.toThrow(
      'The volume must have at least the 2 GiB of volume data.',
    )
    const clone = await volumes.create(ours, { name: 'c', volume: 'data', size: 3 })
    expect(clone).toMatchObject({ status: 'creating', size: 3, hostId: two, sourceVolumeId: id, snapshotId: null })
    expect(cloud.told.at(-1)).toEqual([
      two,
      { kind: 'volume', id: clone.id, size: 3, source: id, sourceKind: 'volume', made: false, gone: false },
    ])
    await cloud.report(two, clone.id, 'available')
    expect(await volumes.get(ours, 'c')).toMatchObject({ status: 'available', sourceVolumeId: id })
  })

  test('keeps what it is made from, until it is whole', async () => {
    await using cloud = await openVolumeWorld()
    const { volumes } = cloud.provider
    await cloud.available('data')
    const { id } = await volumes.create(ours, { name: 'c', volume: 'data' })
    await expect(volumes.delete(ours, 'data')).rejects.toThrow('volume c is being made of it')
    await cloud.report(two, id, 'available')
    await volumes.delete(ours, 'data')
  })

  test('begins with something that is there, and with one thing', async () => {
    await using cloud = await openVolumeWorld()
    const { volumes } = cloud.provider
    await volumes.create(ours, { name: 'shared', size: 1, shared: true })
    await expect(volumes.create(ours, { name: 'c', volume: 'shared' })).rejects.toThrow('no container has had it yet')
    await volumes.create(ours, { name: 'new', size: 1 })
    await expect(volumes.create(ours, { name: 'c', volume: 'new' })).rejects.toMatchObject({ code: 'volume.state' })
    await expect(volumes.create(ours, { name: 'c', volume: 'new', backup: 'b' })).rejects.toThrow('made from one of')
    await expect(volumes.create(theirs, { name: 'c', volume: 'new' })).rejects.toMatchObject({
      code: 'volume.not-found',
    })
  })
})

test('what only another service could do is refused with the reason', async () => {
  await using cloud = await openVolumeWorld()
  const create = (input: object) => cloud.provider.volumes.create(ours, { name: '', size: 1, ...input })
  await expect(create({ backend: 'cinder' })).rejects.toThrow('This cloud has no cinder')
  await expect(create({ type: 'fast' })).rejects.toMatchObject({ code: 'request.unsupported' })
  await expect(create({ multiattach: true })).rejects.toMatchObject({ code: 'request.unsupported' })
  await expect(create({ fsType: 'xfs' })).rejects.toMatchObject({ code: 'request.unsupported' })
  expect(await create({ backend: 'local', fsType: 'ext4' })).toMatchObject({ status: 'creating' })
})

test('a volume is made in the zone that is asked for', async () => {
  await using cloud = await openVolumeWorld()
  cloud.set(one, { zone: 'cellar' })
  const { volumes } = cloud.provider
  const inCellar = await volumes.create(ours, { name: 'data', size: 1, availabilityZone: 'cellar' })
  expect(inCellar).toMatchObject({ hostId: one })
  await expect(volumes.create(ours, { name: '', size: 1, availabilityZone: 'attic' })).rejects.toThrow(
    'No host fits: 2 of 2 are not in zone attic.',
  )
  await cloud.report(one, inCellar.id, 'available')
  await expect(volumes.create(ours, { name: '', volume: 'data', availabilityZone: 'nova' })).rejects.toThrow(
    'only a backup can be brought there',
  )
})

test('a container leaves its host only without volumes whose data is there', async () => {
  await using cloud = await openVolumeWorld()
  await cloud.available('data')
  await cloud.reserve(web, 'data')
  await expect(cloud.transact((tables) => cloud.provider.mayLeave(tables, web))).rejects.toMatchObject({
    code: 'volume.bound',
    details: { ref: web, volume: 'data' },
  })
  const other = 'other' as ContainerId
  await cloud.transact(async (tables) => {
    await cloud.provider.mayLeave(tables, other)
    await cloud.provider.displace(tables, other)
  })
})

test('what is to go is told after what is made from it', async () => {
  await using cloud = await openVolumeWorld()
  await cloud.transact((tables) =>
    cloud.provider.reserve(tables, ours, web, [{ kind: 'new', size: 1, destination: '/data', readOnly: false }]),
  )
  await cloud.transact((tables) => cloud.provider.place(tables, web, two))
  const [scratch] = await cloud.provider.volumes.list(ours)
  await cloud.report(two, scratch?.id ?? '', 'available')
  const clone = await cloud.provider.volumes.create(ours, { name: 'kept', volume: scratch?.id ?? '' })
  await cloud.release(web)
  expect((await cloud.source.ofHost(two)).map(({ id, gone }) => [id, gone])).toEqual([
    [clone.id, false],
    [scratch?.id, true],
  ])
})
