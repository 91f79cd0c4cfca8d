import type { Snapshot, Volume, VolumePlan } from '@gantry/model'

/** What its host is told of a volume; null: nothing yet, since its data is still on its way there. Pure. */
export function planOfVolume(volume: Volume): VolumePlan | null {
  if (isRestoring(volume)) return null
  const { id, size, status } = volume
  return { kind: 'volume', id, size, ...sourceOf(volume), made: status !== 'creating', gone: status === 'deleting' }
}

/** What its host is told of a snapshot. Pure. */
export function planOfSnapshot({ id, size, volumeId, status }: Snapshot): VolumePlan {
  return { kind: 'snapshot', id, size, source: volumeId, made: status !== 'creating', gone: status === 'deleting' }
}

/** What a backup holds is being brought to its host. Pure. */
export function isRestoring({ backupId, status }: Volume): boolean {
  return backupId !== undefined && status === 'creating'
}

/**
 * It is made empty where a container of it goes. A host that cannot do so says so to that container, and tries again for the
 * next. Pure.
 */
export function isMadeForContainer({ shared, ephemeral, snapshotId, sourceVolumeId, backupId }: Volume): boolean {
  const isCopy = snapshotId !== null || sourceVolumeId !== undefined || backupId !== undefined
  return (shared === true || ephemeral) && !isCopy
}

function sourceOf({ sourceVolumeId, snapshotId }: Volume): Pick<VolumePlan, 'source' | 'sourceKind'> {
  return sourceVolumeId === undefined ? { source: snapshotId } : { source: sourceVolumeId, sourceKind: 'volume' }
}
