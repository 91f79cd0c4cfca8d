import type { Cluster, Store, Tables } from '@gantry/control'
import { type Clock, Fault, type Ids } from '@gantry/kernel'
import type { HostId, Snapshot, SnapshotId, Volume, VolumeId, VolumePlan } from '@gantry/model'
import type { VolumeHosts } from './choose-host.ts'
import type { VolumeLimits } from './limits.ts'
import { planOfSnapshot, planOfVolume } from './plans.ts'

/** What the pieces of the volume provider share. */
export interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly hosts: VolumeHosts
  readonly limits: VolumeLimits
  /** Which servers are at work, and which of them this one is. */
  readonly cluster: Pick<Cluster, 'self' | 'members' | 'tell' | 'onNote'>
  /** Lets one at a time read and tell. */
  readonly telling: <T>(task: () => Promise<T>) => Promise<T>
  readonly tell: (hostId: HostId, plan: VolumePlan) => void
}

/** A transaction under way, and what in it concerns hosts. */
export interface Work extends Parts {
  readonly tables: Tables
  readonly changed: (piece: Volume | Snapshot) => void
}

/** Runs `job` in a transaction of its own; hosts are told once it is committed. */
export async function transact<T>(parts: Parts, job: (work: Work) => Promise<T>): Promise<T> {
  const touched = new Set<string>()
  const result = await parts.store.transaction((tables) =>
    job({ ...parts, tables, changed: ({ id }) => touched.add(id) }),
  )
  await tellOf(parts, touched)
  return result
}

/** Runs `job` within the caller's transaction; hosts are told once that has ended. */
export async function within<T>(parts: Parts, tables: Tables, job: (work: Work) => Promise<T>): Promise<T> {
  const touched = new Set<string>()
  const result = await job({ ...parts, tables, changed: ({ id }) => touched.add(id) })
  if (touched.size > 0) {
    // Transactions exclude each other, so an empty one ends after the caller's. If the store is closed by then, every host
    // is told everything at its next connection anyway.
    parts.store
      .transaction(async () => undefined)
      .then(() => tellOf(parts, touched))
      .catch(() => undefined)
  }
  return result
}

/** Reads what was written and tells it, one after another: nothing older can then be told after something newer. */
function tellOf({ store, telling, tell }: Parts, touched: ReadonlySet<string>): Promise<void> {
  return telling(async () => {
    for (const id of touched) {
      const volume = await store.volumes.get(id as VolumeId)
      const plan = volume && planOfVolume(volume)
      if (volume?.hostId && plan) tell(volume.hostId, plan)
      const snapshot = volume ? undefined : await store.snapshots.get(id as SnapshotId)
      if (snapshot?.hostId) tell(snapshot.hostId, planOfSnapshot(snapshot))
    }
  })
}

export function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}

/** What hosts and programs say, as it is kept. */
export function shortened(reason: string): string {
  return reason.length <= 1000 ? reason : `${reason.slice(0, 1000)}…`
}

/** Names may be empty and may repeat. */
export function checkName(name: string, what: string): string {
  if (name.length > 255) throw invalid(`The name of a ${what} has at most 255 characters.`)
  return name
}

/** Of a new volume, in GiB. */
export function checkSize(size: number): number {
  if (Number.isInteger(size) && size >= 1 && size <= mostGib) return size
  throw invalid(`The size of a volume is a whole number of GiB from 1 to ${mostGib}.`)
}

/** The largest file of ext4. */
const mostGib = 16_383
