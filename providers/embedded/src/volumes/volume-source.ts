import type { Tables, VolumeSource } from '@gantry/control'
import { assertNever } from '@gantry/kernel'
import type { HostId, Snapshot, SnapshotId, Volume, VolumeId, VolumePlan, VolumeReport } from '@gantry/model'
import { volumesIn } from './container-volumes.ts'
import type { Parts } from './parts.ts'
import { planOfSnapshot, planOfVolume } from './plans.ts'

export type PlanListener = (hostId: HostId, plan: VolumePlan) => void

/** What hosts are told, and what they say. `listeners` are those that `Parts.tell` reaches. */
export function volumeSource({ store }: Parts, listeners: PlanListener[]): VolumeSource {
  return {
    ofHost: async (hostId) => [
      ...(await store.volumes.ofHost(hostId)).map(planOfVolume),
      ...(await store.snapshots.ofHost(hostId)).map(planOfSnapshot),
    ],
    ofMounts: async (mounts) => {
      const volumes = await store.volumes.getMany(volumesIn(mounts))
      return volumes.filter(({ hostId }) => hostId !== null).map(planOfVolume)
    },
    onChange: (listener) => {
      listeners.push(listener)
    },
    report: (hostId, report) =>
      store.transaction((tables) =>
        report.kind === 'volume' ? onVolume(tables, hostId, report) : onSnapshot(tables, hostId, report),
      ),
  }
}

async function onVolume(tables: Tables, hostId: HostId, report: VolumeReport): Promise<void> {
  const volume = await tables.volumes.get(report.id as VolumeId)
  if (volume?.hostId !== hostId) return
  const change = changeBy(volume, report)
  if (change === 'remove') return tables.volumes.remove(volume.id)
  if (change === null) return
  const { status, statusReason } = change
  const isHeld = volume.containerId !== null || (await tables.volumes.holdersOf(volume.id)).length > 0
  const inUse = status === 'available' && isHeld
  await tables.volumes.update(volume.id, { status: inUse ? 'in-use' : status, statusReason })
}

async function onSnapshot(tables: Tables, hostId: HostId, report: VolumeReport): Promise<void> {
  const snapshot = await tables.snapshots.get(report.id as SnapshotId)
  if (snapshot?.hostId !== hostId) return
  const change = changeBy(snapshot, report)
  if (change === 'remove') return tables.snapshots.remove(snapshot.id)
  if (change !== null) await tables.snapshots.update(snapshot.id, change)
}

type Change = { readonly status: 'available' | 'deleting' | 'error'; readonly statusReason: string | null }

/** What a report means for a volume or snapshot in this status; null: nothing new. Pure. */
function changeBy({ status }: Volume | Snapshot, { state, reason }: VolumeReport): Change | 'remove' | null {
  const deleting = status === 'deleting'
  switch (state) {
    case 'gone':
      // Only ever said of what was to go; anything else is a report that was long under way.
      return deleting ? 'remove' : null
    case 'available':
      // From `error` too: the operator has put the data back.
      return status === 'creating' || status === 'error' ? { status: 'available', statusReason: null } : null
    case 'error':
      if (deleting) return { status: 'deleting', statusReason: shortened(reason) }
      // The first reason is the one that helps: afterwards its data is merely missing.
      return status === 'error' ? null : { status: 'error', statusReason: shortened(reason) }
    default:
      return assertNever(state, 'state')
  }
}

function shortened(reason: string): string {
  return reason.length <= 1000 ? reason : `${reason.slice(0, 1000)}…`
}
