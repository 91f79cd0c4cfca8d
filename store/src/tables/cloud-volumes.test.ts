import type { CloudAttachment, CloudVolume } from '@gantry/control'
import type { ContainerId, HostId, ProjectId, UserId, VolumeId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'

const volume: CloudVolume = {
  id: 'v1' as VolumeId,
  backend: 'cinder',
  projectId: 'p1' as ProjectId,
  userId: 'u1' as UserId,
  size: 3,
  containerId: null,
  ephemeral: false,
  shared: true,
  multiattach: false,
  blank: true,
  maybeBlank: false,
  fsType: 'xfs',
  labels: { a: 'b' },
  options: null,
  leaving: false,
  createdAt: 5,
}

const attachment = (id: string, more: Partial<CloudAttachment> = {}): CloudAttachment => ({
  id,
  volumeId: volume.id,
  owner: 'c1',
  serviceId: null,
  hostId: null,
  writable: true,
  sealedConnection: null,
  mounted: false,
  completed: false,
  byService: false,
  leaving: false,
  problem: null,
  createdAt: 1,
  ...more,
})

test('a volume is kept whole, once, and changed', async () => {
  await using opened = await openStore()
  const { store } = opened
  expect(await store.cloudVolumes.insert(volume)).toBe(true)
  expect(await store.cloudVolumes.insert({ ...volume, size: 9 })).toBe(false)
  expect(await store.cloudVolumes.get(volume.id)).toEqual(volume)
  await store.cloudVolumes.update(volume.id, { blank: false, leaving: true, containerId: 'c1' as ContainerId })
  expect(await store.cloudVolumes.leaving()).toMatchObject([{ id: 'v1', blank: false }])
  expect(await store.cloudVolumes.madeFor('c1' as ContainerId)).toHaveLength(1)
  await store.cloudVolumes.remove(volume.id)
  expect(await store.cloudVolumes.list()).toEqual([])
})

test('due is what is to be reserved, connected, completed or given back', async () => {
  await using opened = await openStore()
  const { store } = opened
  const host = 'h1' as HostId
  const connected = { serviceId: 's', hostId: host, sealedConnection: 'x' }
  const due = [
    attachment('leaving', { leaving: true }),
    attachment('to be reserved', { byService: true }),
    attachment('to be connected', { serviceId: 's', hostId: host }),
    attachment('to be completed', { ...connected, mounted: true }),
  ]
  const idle = [
    attachment('on its user’s errand'),
    attachment('reserved', { serviceId: 's' }),
    attachment('connected', connected),
    attachment('complete', { ...connected, mounted: true, completed: true }),
  ]
  for (const one of [...idle, ...due]) await store.cloudAttachments.insert(one)
  expect(new Set((await store.cloudAttachments.due()).map(({ id }) => id))).toEqual(new Set(due.map(({ id }) => id)))
  expect(await store.cloudAttachments.ofHost(host)).toHaveLength(4)
  expect(await store.cloudAttachments.get('connected')).toEqual(idle[2])
})

test('a container holds a volume once', async () => {
  await using opened = await openStore()
  const { store } = opened
  const containerId = 'c1' as ContainerId
  const holder = { containerId, volumeId: volume.id, attachmentId: 'a1', readOnly: true, createdAt: 1 }
  await store.cloudHolders.put(holder)
  await store.cloudHolders.put({ ...holder, attachmentId: 'a2', readOnly: false })
  expect(await store.cloudHolders.ofContainer(containerId)).toEqual([
    { ...holder, attachmentId: 'a2', readOnly: false },
  ])
  expect(await store.cloudHolders.ofAttachment('a1')).toEqual([])
  await store.cloudHolders.remove(containerId, volume.id)
  expect(await store.cloudHolders.list()).toEqual([])
})
