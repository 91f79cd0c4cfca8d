import type { ProjectId, Snapshot, SnapshotId, VolumeId, VolumeStatus } from '@gantry/model'
import type { Share, ShareSnapshot } from '@gantry/openstack'
import type { KeptVolume } from './backend.ts'
import { timeOf } from './cinder-shapes.ts'

/** Pure. Any number of hosts may have a share at once. */
export function keptShare(share: Share, failure: string | null = null): KeptVolume {
  const { id, size, status, snapshot_id: snapshotId, metadata } = share
  return {
    id,
    projectId: share.project_id ?? '',
    userId: share.user_id ?? '',
    name: share.name ?? '',
    size,
    status: statusOf(status),
    statusReason: reasonOf(status, failure),
    snapshotId: snapshotId || null,
    sourceVolumeId: null,
    hasSource: Boolean(snapshotId),
    volumeType: share.share_type_name || share.share_type || null,
    multiattach: true,
    encrypted: false,
    metadata: metadata ?? {},
    createdAt: timeOf(share.created_at),
  }
}

const usual: Readonly<Record<string, VolumeStatus>> = {
  creating: 'creating',
  creating_from_snapshot: 'creating',
  available: 'available',
  // Its data can be reached all the while.
  extending: 'available',
  shrinking: 'available',
  deleting: 'deleting',
  unmanaging: 'deleting',
}

/** Something is done to it (`migrating`, `reverting`, `replication_change`, …): nobody gets it meanwhile. */
function statusOf(status: string): VolumeStatus {
  return usual[status] ?? (status.includes('error') || status === 'inactive' ? 'error' : 'in-use')
}

function reasonOf(status: string, failure: string | null): string | null {
  if (usual[status] !== undefined) return null
  return failure ?? (status === 'error' ? 'Manila could not make it.' : `Manila says: ${status}.`)
}

/** Pure. */
export function shareSnapshotOf(snapshot: ShareSnapshot): Snapshot {
  const { id, share_id: shareId, status: said, name, created_at: createdAt } = snapshot
  const status = snapshotStatus(said)
  return {
    id: id as SnapshotId,
    projectId: (snapshot.project_id ?? '') as ProjectId,
    name: name ?? '',
    volumeId: shareId as VolumeId,
    size: snapshot.share_size ?? snapshot.size ?? 0,
    status,
    statusReason: status === 'error' ? `Manila says: ${said}.` : null,
    hostId: null,
    createdAt: timeOf(createdAt),
  }
}

function snapshotStatus(status: string): Snapshot['status'] {
  if (status === 'creating' || status === 'deleting' || status === 'available') return status
  if (status === 'unmanaging') return 'deleting'
  return status.includes('error') ? 'error' : 'available'
}
