import { posix } from 'node:path'
import type { ContainerVolumes, MountRequest } from '@gantry/control'
import { assertNever, Fault } from '@gantry/kernel'
import type { Caller, ContainerId, Mount, Volume, VolumeId } from '@gantry/model'
import { enforceLimits } from './limits.ts'
import { checkSize, invalid, type Parts, type Work, within } from './parts.ts'
import { isRestoring } from './plans.ts'
import { called, volumeBy } from './sight.ts'

export function containerVolumes(parts: Parts): ContainerVolumes {
  return {
    reserve: (tables, caller, containerId, mounts) =>
      within(parts, tables, async (work) => {
        checkDestinations(mounts)
        const reserved: Mount[] = []
        for (const mount of mounts) reserved.push(await reserve(work, caller, containerId, mount))
        return reserved
      }),
    hostOf: async (tables, mounts) => {
      const placed = (await tables.volumes.getMany(volumesIn(mounts))).filter(({ hostId }) => hostId !== null)
      const [first] = placed
      const other = placed.find(({ hostId }) => hostId !== first?.hostId)
      if (first && other) {
        throw invalid(
          `Volumes ${called(first)} and ${called(other)} are on different hosts; a container can have those of one.`,
        )
      }
      return first?.hostId ?? null
    },
    place: (tables, containerId, hostId) =>
      within(parts, tables, async ({ changed }) => {
        for (const volume of await tables.volumes.ofContainer(containerId)) {
          if (volume.hostId !== null) continue
          // Nothing of it is there yet, whatever it was called while it waited for its first container.
          await tables.volumes.update(volume.id, { hostId, status: 'creating' })
          changed(volume)
        }
      }),
    mayLeave: async (tables, containerId) => {
      const [volume] = (await tables.volumes.ofContainer(containerId)).filter(({ hostId }) => hostId !== null)
      if (volume) throw new Fault('volume.bound', { ref: containerId, volume: called(volume) })
    },
    // What `mayLeave` lets go has no data anywhere.
    displace: async () => undefined,
    release: (tables, containerId) =>
      within(parts, tables, async (work) => {
        for (const volume of await tables.volumes.ofContainer(containerId)) await release(work, containerId, volume)
      }),
  }
}

async function reserve(work: Work, caller: Caller, containerId: ContainerId, mount: MountRequest): Promise<Mount> {
  const { destination } = mount
  switch (mount.kind) {
    case 'file':
      return { kind: 'file', destination, content: mount.content }
    case 'volume': {
      const volumeId = await take(work, caller, containerId, mount.source)
      return mountOf(volumeId, mount)
    }
    case 'new': {
      const volumeId = await add(work, caller, containerId, mount)
      return mountOf(volumeId, mount)
    }
    default:
      return assertNever(mount, 'mount')
  }
}

function mountOf(volumeId: VolumeId, { destination, readOnly, fill }: Exclude<MountRequest, { kind: 'file' }>): Mount {
  return { kind: 'volume', volumeId, destination, readOnly, ...(fill === true && { fill }) }
}

async function take({ tables }: Work, caller: Caller, containerId: ContainerId, ref: string): Promise<VolumeId> {
  const volume = await volumeBy(tables, caller, ref)
  // An administrator sees other projects' volumes, but a container of this one must not have them.
  if (volume.projectId !== caller.projectId) throw new Fault('volume.not-found', { type: 'volume', ref })
  if (volume.shared === true) return share(tables, containerId, volume)
  // Twice in one container, at two places.
  if (volume.containerId === containerId) return volume.id
  if (volume.containerId !== null) {
    const reason = `container ${volume.containerId} has it`
    throw new Fault('volume.in-use', { type: 'volume', ref: called(volume), reason })
  }
  if (volume.status !== 'available') {
    const { status } = volume
    throw new Fault('volume.state', { type: 'volume', ref: called(volume), status, needed: 'available' })
  }
  await tables.volumes.update(volume.id, { status: 'in-use', containerId })
  return volume.id
}

/** One that is being made is as good as there: its host has the container wait for it. */
async function share(tables: Work['tables'], containerId: ContainerId, volume: Volume): Promise<VolumeId> {
  const { id, status } = volume
  if (status === 'deleting' || status === 'error' || isRestoring(volume)) {
    throw new Fault('volume.state', { type: 'volume', ref: called(volume), status, needed: 'available' })
  }
  if (status === 'available') await tables.volumes.update(id, { status: 'in-use' })
  await tables.volumes.hold(id, containerId)
  return id
}

type New = Extract<MountRequest, { kind: 'new' }>

/** One that gets its host together with its container, and is made there. */
async function add(
  work: Work,
  caller: Caller,
  containerId: ContainerId,
  { size: asked, keep = false, share, shared = false, labels }: New,
): Promise<VolumeId> {
  const { tables, clock, ids, limits } = work
  const size = checkSize(asked)
  const { projectId, userId } = caller
  await enforceLimits(tables, limits, projectId, { resource: 'volumes', gigabytes: size })
  const id = ids.uuid() as VolumeId
  await tables.volumes.insert({
    id,
    projectId,
    userId,
    name: keep && share !== undefined ? share : `of-container-${containerId}`,
    size,
    status: 'creating',
    statusReason: null,
    hostId: null,
    containerId: shared ? null : containerId,
    snapshotId: null,
    ephemeral: !keep,
    ...(shared && { shared }),
    ...(labels && { labels }),
    createdAt: clock.now(),
  })
  if (shared) await tables.volumes.hold(id, containerId)
  return id
}

async function release({ tables, changed }: Work, containerId: ContainerId, volume: Volume): Promise<void> {
  const { id, status } = volume
  if (volume.shared === true) {
    await tables.volumes.letGo(id, containerId)
    if ((await tables.volumes.holdersOf(id)).length > 0) return
    if (!volume.ephemeral) return tables.volumes.update(id, { ...(status === 'in-use' && { status: 'available' }) })
  }
  // Never made anywhere: its container found no host.
  if (volume.hostId === null) return tables.volumes.remove(id)
  if (!volume.ephemeral) {
    return tables.volumes.update(id, { containerId: null, ...(status === 'in-use' && { status: 'available' }) })
  }
  // Its snapshots are files of their own and stay.
  await tables.volumes.update(id, { containerId: null, status: 'deleting', statusReason: null })
  changed(volume)
}

function checkDestinations(mounts: readonly MountRequest[]): void {
  const taken = new Set<string>()
  for (const { destination } of mounts) {
    const path = posix.normalize(destination).replace(/(?<=.)\/$/, '')
    if (taken.has(path)) throw invalid(`Two mounts are at ${path}.`)
    taken.add(path)
  }
}

/** The volumes among these mounts, each once. Pure. */
export function volumesIn(mounts: readonly Mount[]): VolumeId[] {
  return [...new Set(mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volumeId] : [])))]
}
