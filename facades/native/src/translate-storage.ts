import type { CapsuleView as Found } from '@gantry/control'
import type { Caller, Snapshot, Volume } from '@gantry/model'
import type { CapsuleView } from './schemas.ts'
import type { SnapshotView, VolumeView } from './schemas-storage.ts'
import { isoTime } from './times.ts'
import { toContainerView } from './translate.ts'
import { toAddresses } from './translate-network.ts'

/** Where its data is, is the operator's business: only administrators are shown it. */
export function toVolumeView({ hostId, createdAt, ...volume }: Volume, caller: Caller): VolumeView {
  return { ...volume, hostId: caller.isAdmin ? hostId : null, createdAt: isoTime(createdAt) }
}

export function toSnapshotView({ hostId: _host, createdAt, ...snapshot }: Snapshot): SnapshotView {
  return { ...snapshot, createdAt: isoTime(createdAt) }
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
