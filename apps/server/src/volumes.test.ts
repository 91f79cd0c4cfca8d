import type { ContainerId, HostId } from '@gantry/model'
import { describe, expect, test } from 'vitest'
import { admin, mountOf, one, openVolumeWorld as open, ours, theirs, two } from './testing/volume-world.ts'

const web = 'container-web' as ContainerId
const db = 'container-db' as ContainerId

describe('a volume', () => {
  test('is made on the host with the most room, and is available once the host says so', async () => {
    await using cloud = await open()
    const made = await cloud.provider.volumes.create(ours, { name: 'data', size: 5 })
    expect(made).toMatchObject({ status: 'creating', hostId: two, containerId: null, ephemeral: false })
    const plan = { kind: 'volume', id: made.id, size: 5, source: null, made: false, gone: false }
    expect(cloud.told).toEqual([[two, plan]])
    await cloud.report(one, made.id, 'available')
    expect(await cloud.provider.volumes.get(ours, 'data')).toMatchObject({ status: 'creating' })
    await cloud.report(two, made.id, 'available')
    expect(await cloud.provider.volumes.get(ours, made.id)).toMatchObject({ status: 'available' })
    expect(await cloud.source.ofHost(two)).toEqual([{ ...plan, made: true }])
  })

  test('is refused with what each host lacks, and what volumes have counts', async () => {
    await using cloud = await open()
    await cloud.provider.volumes.create(ours, { name: '', size: 99 })
    cloud.hosts.push({ id: 'h3' as HostId, zone: 'nova', up: false, freeGib: 500, problem: null })
    cloud.hosts.push({ id: 'h4' as HostId, zone: 'nova', up: true, freeGib: 500, problem: 'The agent is not root.' })
    await expect(cloud.provider.volumes.create(ours, { name: '', size: 60 })).rejects.toThrow(
      'No host fits: 2 of 4 are without 60 GiB of room, 1 of 4 is not connected, ' +
        '1 of 4 is unable to hold volumes (gantry host show tells why).',
    )
    expect(await cloud.provider.volumes.list(ours)).toHaveLength(1)
  })

  test.each([0, -1, 1.5, Number.NaN, 1e9])('of %d GiB is refused', async (size) => {
    await using cloud = await open()
    await expect(cloud.provider.volumes.create(ours, { name: '', size })).rejects.toMatchObject({
      code: 'request.invalid',
    })
  })

  test('is found by id or name in the own project, and by an administrator by id', async () => {
    await using cloud = await open()
    const { volumes } = cloud.provider
    const { id } = await volumes.create(ours, { name: 'data', size: 1 })
    for (const ref of [id, 'data', '']) {
      await expect(volumes.get(theirs, ref)).rejects.toMatchObject({ code: 'volume.not-found' })
    }
    expect((await volumes.get(admin, id)).id).toBe(id)
    await expect(volumes.get(admin, 'data')).rejects.toMatchObject({ code: 'volume.not-found' })
    expect(await volumes.list(admin)).toEqual([])
    expect(await volumes.list(admin, { allProjects: true })).toHaveLength(1)
    await expect(volumes.list(ours, { allProjects: true })).rejects.toMatchObject({ code: 'policy.forbidden' })

    await volumes.create(ours, { name: 'data', size: 1 })
    await expect(volumes.get(ours, 'data')).rejects.toMatchObject({ code: 'volume.ambiguous' })
    expect((await volumes.rename(ours, id, 'logs')).name).toBe('logs')
    expect((await volumes.get(ours, 'logs')).id).toBe(id)
  })

  test('goes once its host has taken the data away', async () => {
    await using cloud = await open()
    const id = await cloud.available('data')
    // Nobody has asked for that.
    await cloud.report(two, id, 'gone')
    await cloud.provider.volumes.delete(ours, id)
    expect(await cloud.provider.volumes.get(ours, id)).toMatchObject({ status: 'deleting' })
    expect(cloud.told.at(-1)).toEqual([two, expect.objectContaining({ id, gone: true })])
    expect(await cloud.source.ofHost(two)).toEqual([expect.objectContaining({ id, gone: true })])
    // Said before the host heard of it.
    await cloud.report(two, id, 'available')
    await cloud.report(two, id, 'error', 'The disk is busy.')
    expect(await cloud.provider.volumes.get(ours, id)).toMatchObject({
      status: 'deleting',
      statusReason: 'The disk is busy.',
    })
    await cloud.report(one, id, 'gone')
    expect(await cloud.provider.volumes.list(ours)).toHaveLength(1)
    await cloud.report(two, id, 'gone')
    expect(await cloud.provider.volumes.list(ours)).toEqual([])
    await cloud.report(two, id, 'gone')
  })

  test('in error keeps its first reason, can be deleted, and recovers when its data is back', async () => {
    await using cloud = await open()
    const id = await cloud.available('data')
    await cloud.report(two, id, 'error', 'The data of the volume is missing on the host.')
    await cloud.report(two, id, 'error', 'Something later.')
    const broken = await cloud.provider.volumes.get(ours, id)
    expect(broken).toMatchObject({ status: 'error', statusReason: 'The data of the volume is missing on the host.' })
    await expect(cloud.reserve(web, id)).rejects.toMatchObject({ code: 'volume.state' })
    await cloud.report(two, id, 'available')
    expect(await cloud.provider.volumes.get(ours, id)).toMatchObject({ status: 'available', statusReason: null })
    await cloud.report(two, id, 'error', 'Again.')
    await cloud.provider.volumes.delete(ours, id)
    expect(await cloud.provider.volumes.get(ours, id)).toMatchObject({ status: 'deleting', statusReason: null })
  })

  test('stays while its host is away, and says so; one of a host that was removed can be forgotten', async () => {
    await using cloud = await open()
    const id = await cloud.available('data')
    cloud.set(two, { up: false })
    expect(await cloud.provider.volumes.get(ours, id)).toMatchObject({
      status: 'available',
      statusReason: 'The host of its data is not connected.',
    })
    await expect(cloud.provider.snapshots.create(ours, id, '')).rejects.toThrow(
      'the one that has the data is not connected',
    )
    cloud.hosts.splice(1)
    const [listed] = await cloud.provider.volumes.list(ours)
    expect(listed?.statusReason).toBe('The host of its data is no longer part of this cloud.')
    await cloud.provider.volumes.delete(ours, id)
    expect(await cloud.provider.volumes.list(ours)).toEqual([])
  })
})

describe('a snapshot', () => {
  test('keeps its volume from being deleted, and new volumes begin with it on its host', async () => {
    await using cloud = await open()
    const { volumes, snapshots } = cloud.provider
    const volume = await cloud.available('data', 3)
    const snapshot = await snapshots.create(ours, 'data', 'before')
    expect(snapshot).toMatchObject({ status: 'creating', size: 3, hostId: two, volumeId: volume })
    expect(cloud.told.at(-1)).toEqual([
      two,
      { kind: 'snapshot', id: snapshot.id, size: 3, source: volume, made: false, gone: false },
    ])
    await expect(volumes.create(ours, { name: 'copy', snapshot: 'before' })).rejects.toMatchObject({
      code: 'volume.state',
    })
    await cloud.report(two, snapshot.id, 'available', '', 'snapshot')
    await expect(volumes.delete(ours, volume)).rejects.toThrow(/data is in use: 1 of its snapshots exist/)

    await expect(volumes.create(ours, { name: 'copy', size: 2, snapshot: 'before' })).rejects.toThrow(
      'at least the 3 GiB',
    )
    const copy = await volumes.create(ours, { name: 'copy', snapshot: 'before' })
    expect(copy).toMatchObject({ size: 3, hostId: two, snapshotId: snapshot.id })
    await expect(snapshots.delete(ours, 'before')).rejects.toThrow('volume copy is being made from it')
    await cloud.report(two, copy.id, 'available')

    await expect(snapshots.get(theirs, snapshot.id)).rejects.toMatchObject({ code: 'volume.not-found' })
    await snapshots.delete(ours, 'before')
    await cloud.report(two, snapshot.id, 'gone', '', 'snapshot')
    expect(await snapshots.list(ours)).toEqual([])
    await volumes.delete(ours, volume)
  })

  test('cannot be made of a volume that is not there yet', async () => {
    await using cloud = await open()
    const { id } = await cloud.provider.volumes.create(ours, { name: '', size: 1 })
    await expect(cloud.provider.snapshots.create(ours, id, '')).rejects.toMatchObject({ code: 'volume.state' })
  })
})

describe('a container', () => {
  test('takes volumes that no other has, and gives them back', async () => {
    await using cloud = await open()
    const id = await cloud.available('data')
    const mounts = await cloud.reserve(web, 'data')
    expect(mounts).toEqual([{ kind: 'volume', volumeId: id, destination: '/mnt/0', readOnly: false }])
    expect(await cloud.provider.volumes.get(ours, id)).toMatchObject({ status: 'in-use', containerId: web })
    await expect(cloud.reserve(db, id)).rejects.toMatchObject({ code: 'volume.in-use' })
    await expect(cloud.provider.volumes.delete(ours, id)).rejects.toMatchObject({ code: 'volume.in-use' })
    expect(await cloud.provider.hostOf(cloud.store, mounts)).toBe(two)
    await cloud.release(web)
    await cloud.release(web)
    expect(await cloud.provider.volumes.get(ours, id)).toMatchObject({ status: 'available', containerId: null })
    await cloud.reserve(db, id)
  })

  test('cannot take what is not there yet, is another project’s, or is on two hosts', async () => {
    await using cloud = await open()
    const { id } = await cloud.provider.volumes.create(ours, { name: 'data', size: 1 })
    await expect(cloud.reserve(web, id)).rejects.toMatchObject({ code: 'volume.state' })
    await cloud.report(two, id, 'available')
    for (const caller of [theirs, admin]) {
      await expect(cloud.reserve(web, id, caller)).rejects.toMatchObject({ code: 'volume.not-found' })
    }
    cloud.set(one, { freeGib: 1000 })
    const other = (await cloud.provider.volumes.create(ours, { name: 'logs', size: 1 })).id
    await cloud.report(one, other, 'available')
    const mounts = await cloud.transact((tables) =>
      cloud.provider.reserve(tables, ours, web, [mountOf(id, '/a'), mountOf(other, '/b')]),
    )
    await expect(cloud.provider.hostOf(cloud.store, mounts)).rejects.toThrow(
      'Volumes data and logs are on different hosts',
    )
  })

  test('has one mount at a place, and nothing is taken when one is refused', async () => {
    await using cloud = await open()
    const id = await cloud.available('data')
    const twice = cloud.transact((tables) =>
      cloud.provider.reserve(tables, ours, web, [mountOf(id, '/data/'), mountOf(id, '/x/../data')]),
    )
    await expect(twice).rejects.toThrow('Two mounts are at /data.')
    const missing = [mountOf(id, '/a'), mountOf('nothing', '/b')]
    const reserve = cloud.transact((tables) => cloud.provider.reserve(tables, ours, web, missing))
    await expect(reserve).rejects.toMatchObject({ code: 'volume.not-found' })
    expect(await cloud.provider.volumes.get(ours, id)).toMatchObject({ status: 'available', containerId: null })
  })

  test('brings a volume of its own, which is made on its host and goes with it', async () => {
    await using cloud = await open()
    const { provider } = cloud
    const mounts = await cloud.transact((tables) =>
      provider.reserve(tables, ours, web, [{ kind: 'new', size: 2, destination: '/data', readOnly: false }]),
    )
    const [volume] = await provider.volumes.list(ours)
    expect(volume).toMatchObject({ status: 'creating', hostId: null, containerId: web, ephemeral: true })
    expect(await provider.hostOf(cloud.store, mounts)).toBeNull()
    expect(await cloud.source.ofMounts(mounts, one)).toEqual([])
    await cloud.transact((tables) => provider.place(tables, web, one))
    expect(await cloud.source.ofMounts(mounts, one)).toEqual([expect.objectContaining({ id: volume?.id, made: false })])
    await cloud.report(one, volume?.id ?? '', 'available')
    expect(await provider.volumes.list(ours)).toMatchObject([{ status: 'in-use', hostId: one }])
    await cloud.release(web)
    expect(await provider.volumes.list(ours)).toMatchObject([{ status: 'deleting', containerId: null }])
    // Told without anybody asking, once the transaction is over.
    await expect.poll(() => cloud.told.at(-1)).toEqual([one, expect.objectContaining({ id: volume?.id, gone: true })])
    await cloud.report(one, volume?.id ?? '', 'gone')
    expect(await provider.volumes.list(ours)).toEqual([])
  })

  test('that never got a host leaves nothing of its own volume', async () => {
    await using cloud = await open()
    await cloud.transact((tables) =>
      cloud.provider.reserve(tables, ours, web, [{ kind: 'new', size: 2, destination: '/data', readOnly: false }]),
    )
    await cloud.release(web)
    expect(await cloud.provider.volumes.list(ours)).toEqual([])
    expect(cloud.told).toEqual([])
  })
})

test('a project has no more volumes, snapshots and gigabytes than its limits', async () => {
  await using cloud = await open({ volumes: 2, snapshots: 1, gigabytes: 10 })
  const { volumes, snapshots } = cloud.provider
  const id = await cloud.available('data', 4)
  await snapshots.create(ours, id, '')
  await expect(snapshots.create(ours, id, '')).rejects.toThrow('Quota exceeded for snapshots: 1 of 1 used, 1 more')
  await expect(volumes.create(ours, { name: '', size: 3 })).rejects.toThrow('gigabytes: 8 of 10 used, 3 more')
  await volumes.create(ours, { name: '', size: 2 })
  const more = cloud.transact((tables) =>
    cloud.provider.reserve(tables, ours, web, [{ kind: 'new', size: 1, destination: '/data', readOnly: false }]),
  )
  await expect(more).rejects.toThrow('Quota exceeded for volumes: 2 of 2 used, 1 more')
  await volumes.create(theirs, { name: '', size: 3 })
})
