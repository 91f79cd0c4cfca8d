import type { Backup, BackupId, ProjectId, Snapshot, SnapshotId, VolumeId, VolumeStatus } from '@gantry/model'
import type { Volume, VolumeBackup, VolumeSnapshot } from '@gantry/openstack'
import type { KeptVolume } from './backend.ts'

/** Pure. Cinder's times have no zone and are UTC. */
export function timeOf(text: string | null | undefined): number {
  if (!text) return 0
  const at = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(at) ? 0 : at
}

/** Pure. */
export function keptOf(volume: Volume): KeptVolume {
  const { id, size, status, snapshot_id: snapshotId, source_volid: sourceId, metadata = {} } = volume
  return {
    id,
    projectId: volume['os-vol-tenant-attr:tenant_id'] ?? '',
    userId: volume.user_id ?? '',
    name: volume.name ?? '',
    size,
    status: statusOf(status),
    statusReason: reasonOf(status),
    snapshotId: snapshotId || null,
    sourceVolumeId: sourceId || null,
    hasSource: Boolean(snapshotId || sourceId || volume.bootable === 'true' || volume.volume_image_metadata),
    volumeType: volume.volume_type || null,
    multiattach: volume.multiattach === true,
    encrypted: volume.encrypted === true,
    metadata,
    createdAt: timeOf(volume.created_at),
  }
}

const usual: Readonly<Record<string, VolumeStatus>> = {
  creating: 'creating',
  downloading: 'creating',
  'restoring-backup': 'creating',
  available: 'available',
  reserved: 'in-use',
  attaching: 'in-use',
  'in-use': 'in-use',
  detaching: 'in-use',
  deleting: 'deleting',
}

/** Something is done to it (`extending`, `backing-up`, `retyping`, …): nobody gets it meanwhile. */
function statusOf(status: string): VolumeStatus {
  return usual[status] ?? (status.startsWith('error') ? 'error' : 'in-use')
}

function reasonOf(status: string): string | null {
  if (usual[status] !== undefined) return null
  return status === 'error' ? 'Cinder could not make it.' : `Cinder says: ${status}.`
}

type PieceStatus = Snapshot['status']

function pieceStatus(status: string): PieceStatus {
  if (status === 'creating' || status === 'deleting' || status === 'available') return status
  if (status === 'unmanaging') return 'deleting'
  // A backup that is being restored from, a snapshot that is being backed up.
  return status.startsWith('error') ? 'error' : 'available'
}

/** Pure. */
export function snapshotOf(snapshot: VolumeSnapshot): Snapshot {
  const status = pieceStatus(snapshot.status)
  return {
    id: snapshot.id as SnapshotId,
    projectId: (snapshot['os-extended-snapshot-attributes:project_id'] ?? '') as ProjectId,
    name: snapshot.name ?? '',
    volumeId: snapshot.volume_id as VolumeId,
    size: snapshot.size,
    status,
    statusReason: status === 'error' ? `Cinder says: ${snapshot.status}.` : null,
    hostId: null,
    createdAt: timeOf(snapshot.created_at),
  }
}

/** Pure. */
export function backupOf(backup: VolumeBackup): Backup {
  const status = pieceStatus(backup.status)
  const reason = backup.fail_reason || `Cinder says: ${backup.status}.`
  return {
    id: backup.id as BackupId,
    projectId: (backup['os-backup-project-attr:project_id'] ?? '') as ProjectId,
    name: backup.name ?? '',
    volumeId: backup.volume_id as VolumeId,
    size: backup.size,
    status,
    statusReason: status === 'error' ? reason : null,
    createdAt: timeOf(backup.created_at),
  }
}
