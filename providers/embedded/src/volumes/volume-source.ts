import type { Tables, VolumeSource } from '@gantry/control'
import { assertNever } from '@gantry/kernel'
import type { HostId, Snapshot, SnapshotId, Volume, VolumeId, VolumePlan, VolumeReport } from '@gantry/model'
import { volumesIn } from './container-volumes.ts'
import { type Parts, shortened } from './parts.ts'
import { isMadeForContainer, planOfSnapshot, planOfVolume } from './plans.ts'

export type PlanListener = (hostId: HostId, plan: VolumePlan) => void

/** What hosts are told, and what they say. `listeners` are those that `Parts.tell` reaches. */
export function volumeSource({ store }: Parts, listeners: PlanListener[]): VolumeSource {
  return {
    ofHost: async (hostId) => {
      const plans = [
        ...plansOf(await store.volumes.ofHost(hostId)),
        ...(await store.snapshots.ofHost(hostId)).map(planOfSnapshot),
      ]
      // Carried out in this order: what is to go may have to be copied first.
      return [...plans.filter(({ gone }) => !gone), ...plans.filter(({ gone }) => gone)]
    },
    ofMounts: async (mounts, wanted) => {
      const volumes = await store.volumes.getMany(volumesIn(mounts))
      return plansOf(volumes.filter(({ hostId }) => hostId === wanted))
    },
    ofOne: async (wanted, id) => {
      const volume = await store.volumes.get(id as VolumeId)
      if (volume) return volume.hostId === wanted ? plansOf([volume]) : []
      const snapshot = await store.snapshots.get(id as SnapshotId)
      return snapshot?.hostId === wanted ? [planOfSnapshot(snapshot)] : []
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

function plansOf(volumes: readonly Volume[]): VolumePlan[] {
  return volumes.map(planOfVolume).filter((plan) => plan !== null)
}

async function onVolume(tables: Tables, hostId: HostId, report: VolumeReport): Promise<void> {
  const volume = await tables.volumes.get(report.id as VolumeId)
  if (volume?.hostId !== hostId) return
  const change = changeBy(volume, report, isMadeForContainer(volume))
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
  const change = changeBy(snapshot, report, false)
  if (change === 'remove') return tables.snapshots.remove(snapshot.id)
  if (change !== null) await tables.snapshots.update(snapshot.id, change)
}

type Change = {
  readonly status: 'creating' | 'available' | 'deleting' | 'error'
  readonly statusReason: string | null
}

/** What a report means for a volume or snapshot as it is; null: nothing new. `isTriedAgain`: what cannot be made yet may be later. Pure. */
function changeBy(
  { status, statusReason }: Volume | Snapshot,
  { state, reason }: VolumeReport,
  isTriedAgain: boolean,
): Change | 'remove' | null {
  const deleting = status === 'deleting'
  switch (state) {
    case 'gone':
      // Only ever said of what was to go; anything else is a report that was long under way.
      return deleting ? 'remove' : null
    case 'available':
      // From `error` too: the operator has put the data back. With a reason: it is not quite as it should be.
      if (deleting || ((status === 'available' || status === 'in-use') && (statusReason ?? '') === reason)) return null
      return { status: 'available', statusReason: reason === '' ? null : shortened(reason) }
    case 'error':
      if (deleting) return { status: 'deleting', statusReason: shortened(reason) }
      // It holds nothing yet: in error its next container would be refused what the host may have room for by then.
      if (status === 'creating' && isTriedAgain) return { status, statusReason: shortened(reason) }
      // The first reason is the one that helps: afterwards its data is merely missing.
      return status === 'error' ? null : { status: 'error', statusReason: shortened(reason) }
    default:
      return assertNever(state, 'state')
  }
}
