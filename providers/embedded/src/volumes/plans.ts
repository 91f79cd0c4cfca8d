import type { Snapshot, Volume, VolumePlan } from '@gantry/model'

/** What its host is told of a volume. Pure. */
export function planOfVolume({ id, size, snapshotId, status }: Volume): VolumePlan {
  return { kind: 'volume', id, size, source: snapshotId, made: status !== 'creating', gone: status === 'deleting' }
}

/** What its host is told of a snapshot. Pure. */
export function planOfSnapshot({ id, size, volumeId, status }: Snapshot): VolumePlan {
  return { kind: 'snapshot', id, size, source: volumeId, made: status !== 'creating', gone: status === 'deleting' }
}
