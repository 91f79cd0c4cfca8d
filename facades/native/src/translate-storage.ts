import type { CapsuleView as Found, MountedVolume } from '@gantry/control'
import type { Backup, Caller, HostId, Snapshot, Volume, VolumeId } from '@gantry/model'
import type { CapsuleView } from './schemas.ts'
import type { BackupView, SnapshotView, VolumeView } from './schemas-storage.ts'
import { isoTime } from './times.ts'
import { toContainerView } from './translate.ts'
import { toAddresses } from './translate-network.ts'

/** What is known of a volume beside itself. */
export interface VolumeSurroundings {
  readonly mounts: ReadonlyMap<VolumeId, readonly MountedVolume[]>
  /** Names by id; empty for all but administrators. */
  readonly hostNames: ReadonlyMap<HostId, string>
}

/** Where its data is, is the operator's business: only administrators are shown it. */
export function toVolumeView(volume: Volume, caller: Caller, { mounts, hostNames }: VolumeSurroundings): VolumeView {
  const { id, projectId, userId, name, size, status, statusReason, containerId, snapshotId, ephemeral } = volume
  const hostId = caller.isAdmin ? volume.hostId : null
  return {
    id,
    projectId,
    userId,
    name,
    size,
    status,
    statusReason,
    backend: volume.backend ?? 'local',
    volumeType: volume.volumeType ?? null,
    multiattach: volume.multiattach ?? false,
    shared: volume.shared ?? false,
    hostId,
    host: hostId === null ? null : (hostNames.get(hostId) ?? null),
    containerId,
    mounts: (mounts.get(id) ?? []).map(({ container, destination, readOnly }) => ({
      containerId: container.id,
      containerName: container.name,
      destination,
      readOnly,
    })),
    snapshotId,
    sourceVolumeId: volume.sourceVolumeId ?? null,
    ephemeral,
    createdAt: isoTime(volume.createdAt),
  }
}

export function toSnapshotView({ hostId: _host, createdAt, ...snapshot }: Snapshot): SnapshotView {
  return { ...snapshot, createdAt: isoTime(createdAt) }
}

export function toBackupView({ createdAt, ...backup }: Backup): BackupView {
  return { ...backup, createdAt: isoTime(createdAt) }
}

export function toCapsuleView(found: Found, caller: Caller): CapsuleView {
  const { capsule, status, statusReason, hostName, nics } = found
  const { id, name, projectId, userId, labels, annotations, restartPolicy, createdAt, updatedAt } = capsule
  return {
    id,
    name,
    projectId,
    userId,
    status,
    statusReason,
    host: caller.isAdmin ? hostName : null,
    labels: { ...labels },
    annotations: { ...annotations },
    restartPolicy,
    addresses: toAddresses(nics),
    containers: found.containers.map((container) => toContainerView(container, caller)),
    initContainers: found.initContainers.map((container) => toContainerView(container, caller)),
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
  }
}
