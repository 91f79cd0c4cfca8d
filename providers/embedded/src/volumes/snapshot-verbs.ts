import type { VolumeVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Snapshot, SnapshotId } from '@gantry/model'
import { requireHost, type VolumeHost } from './choose-host.ts'
import { enforceLimits } from './limits.ts'
import { requireData } from './origins.ts'
import { checkName, type Parts, transact, type Work } from './parts.ts'
import { called, snapshotBy, volumeBy } from './sight.ts'

export function snapshotVerbs(parts: Parts): VolumeVerbs['snapshots'] {
  const { store, hosts } = parts
  return {
    create: async (caller, volume, name) => {
      const known = await hosts()
      return transact(parts, (work) => create(work, known, caller, { volume, name }))
    },
    list: (caller) => store.snapshots.list(caller.projectId),
    get: (caller, ref) => snapshotBy(store, caller, ref),
    delete: async (caller, ref) => {
      const known = await hosts()
      await transact(parts, async (work) => remove(work, known, await snapshotBy(work.tables, caller, ref)))
    },
  }
}

async function create(
  { tables, clock, ids, limits, changed }: Work,
  known: readonly VolumeHost[],
  caller: Caller,
  asked: { readonly volume: string; readonly name: string },
): Promise<Snapshot> {
  checkName(asked.name, 'snapshot')
  const volume = await volumeBy(tables, caller, asked.volume)
  const { size } = volume
  const hostId = requireData(volume)
  await enforceLimits(tables, limits, volume.projectId, { resource: 'snapshots', gigabytes: size })
  // Not left for later: a snapshot is of this moment.
  await requireHost(tables, known, hostId, size)
  const snapshot: Snapshot = {
    id: ids.uuid() as SnapshotId,
    projectId: volume.projectId,
    name: asked.name,
    volumeId: volume.id,
    size,
    status: 'creating',
    statusReason: null,
    hostId,
    createdAt: clock.now(),
  }
  await tables.snapshots.insert(snapshot)
  changed(snapshot)
  return snapshot
}

async function remove({ tables, changed }: Work, known: readonly VolumeHost[], snapshot: Snapshot): Promise<void> {
  const { id, hostId } = snapshot
  const there = hostId === null ? [] : await tables.volumes.ofHost(hostId)
  const fromIt = there.filter(({ snapshotId }) => snapshotId === id)
  const [unfinished] = fromIt.filter(({ status }) => status === 'creating')
  if (unfinished) {
    const reason = `volume ${called(unfinished)} is being made from it`
    throw new Fault('volume.in-use', { type: 'snapshot', ref: called(snapshot), reason })
  }
  if (!known.some((host) => host.id === hostId)) return tables.snapshots.remove(id)
  await tables.snapshots.update(id, { status: 'deleting', statusReason: null })
  changed(snapshot)
}
