import type { ContainerId, HostId, Snapshot, SnapshotId, UserId, Volume, VolumeId } from '@gantry/model'
import { expect, test } from 'vitest'
import { onSqlite, openStore } from '../testing/open-store.ts'
import { ours, theirs } from '../testing/samples.ts'

function aVolume(id: string, rest: Partial<Volume> = {}): Volume {
  return {
    id: id as VolumeId,
    projectId: ours,
    userId: 'u1' as UserId,
    name: id,
    size: 2,
    status: 'creating',
    statusReason: null,
    hostId: null,
    containerId: null,
    snapshotId: null,
    ephemeral: false,
    createdAt: 1,
    ...rest,
  }
}

const host = 'h1' as HostId
const container = 'c1' as ContainerId

test('volumes come back whole, by project, host and container, and are summed up', async () => {
  await using opened = await openStore()
  const { volumes } = opened.store
  await volumes.insert(aVolume('v2', { ephemeral: true, snapshotId: 's1' as SnapshotId }))
  await volumes.insert(aVolume('v1', { size: 3 }))
  await volumes.insert(aVolume('v3', { projectId: theirs }))
  const change = { status: 'in-use', statusReason: 'because', hostId: host, containerId: container } as const
  await volumes.update('v1' as VolumeId, change)
  expect(await volumes.get('v1' as VolumeId)).toEqual(aVolume('v1', { size: 3, ...change }))
  expect((await volumes.list(ours)).map(({ id }) => id)).toEqual(['v2', 'v1'])
  expect(await volumes.list(null)).toHaveLength(3)
  expect((await volumes.ofHost(host)).map(({ id }) => id)).toEqual(['v1'])
  expect((await volumes.ofContainer(container)).map(({ id }) => id)).toEqual(['v1'])
  expect(await volumes.usageOf(ours)).toEqual({ volumes: 2, gigabytes: 5 })
  await volumes.remove('v1' as VolumeId)
  expect(await volumes.getMany(['v1' as VolumeId, 'v2' as VolumeId])).toEqual([
    aVolume('v2', { ephemeral: true, snapshotId: 's1' as SnapshotId }),
  ])
  expect(await volumes.usageOf('nobody' as typeof ours)).toEqual({ volumes: 0, gigabytes: 0 })
})

onSqlite('what a project uses of volumes is answered from an index alone', async () => {
  await using opened = await openStore()
  expect(await opened.planOf(() => opened.store.volumes.usageOf(ours))).toEqual([
    expect.stringContaining('USING COVERING INDEX'),
  ])
})

test('snapshots come back whole, by project, host and volume', async () => {
  await using opened = await openStore()
  const { snapshots } = opened.store
  const snapshot: Snapshot = {
    id: 's1' as SnapshotId,
    projectId: ours,
    name: 'before',
    volumeId: 'v1' as VolumeId,
    size: 2,
    status: 'creating',
    statusReason: null,
    hostId: host,
    createdAt: 1,
  }
  await snapshots.insert(snapshot)
  await snapshots.update(snapshot.id, { status: 'error', statusReason: 'no room' })
  const now = { ...snapshot, status: 'error', statusReason: 'no room' }
  expect(await snapshots.get(snapshot.id)).toEqual(now)
  expect(await snapshots.list(theirs)).toEqual([])
  expect(await snapshots.list(null)).toEqual([now])
  expect(await snapshots.ofHost(host)).toEqual([now])
  expect(await snapshots.ofVolume('v1' as VolumeId)).toEqual([now])
  expect(await snapshots.countOf(ours)).toBe(1)
  await snapshots.remove(snapshot.id)
  expect(await snapshots.countOf(ours)).toBe(0)
})

test('who shares a volume is known, and forgotten with it', async () => {
  await using opened = await openStore()
  const { volumes } = opened.store
  const [v1, v2] = ['v1' as VolumeId, 'v2' as VolumeId]
  await volumes.insert(aVolume('v1', { shared: true, labels: { a: 'b' }, options: {} }))
  await volumes.insert(aVolume('v2', { containerId: container }))
  expect(await volumes.get(v1)).toEqual(aVolume('v1', { shared: true, labels: { a: 'b' }, options: {} }))
  await volumes.hold(v1, container)
  await volumes.hold(v1, container)
  await volumes.hold(v1, 'c2' as ContainerId)
  expect(await volumes.holdersOf(v1)).toEqual(['c1', 'c2'])
  expect((await volumes.ofContainer(container)).map(({ id }) => id)).toEqual([v2, v1])
  await volumes.letGo(v1, container)
  await volumes.letGo(v1, container)
  expect(await volumes.holdersOf(v1)).toEqual(['c2'])
  await volumes.remove(v1)
  expect(await volumes.holdersOf(v1)).toEqual([])
})
