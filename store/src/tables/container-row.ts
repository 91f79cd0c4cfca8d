import type { ContainerChange } from '@gantry/control'
import type {
  CapsuleId,
  CapsuleRole,
  Container,
  ContainerId,
  Digest,
  HostId,
  Move,
  Observed,
  ProjectId,
  RegistryId,
  Status,
  Task,
  UserId,
} from '@gantry/model'
import type { ContainerRow } from '../database.ts'

export function fromRow(row: ContainerRow): Container {
  return {
    id: row.id as ContainerId,
    projectId: row.project_id as ProjectId,
    userId: row.user_id as UserId,
    name: row.name,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    spec: JSON.parse(row.spec),
    wish: JSON.parse(row.wish),
    nics: JSON.parse(row.nics),
    mounts: JSON.parse(row.mounts),
    capsule: membershipOf(row),
    registryId: row.registry_id as RegistryId | null,
    sealedRegistryAuth: row.sealed_registry_auth,
    ...(row.moving && { moving: JSON.parse(row.moving) as Move }),
    ...(row.lease && { lease: row.lease }),
    task: row.task as Task | null,
    hostId: row.host_id as HostId | null,
    hostName: row.host_name,
    imageRef: row.image_ref,
    imageManifest: (row.image_manifest ?? null) as Digest | null,
    placementFailure: row.placement_failure,
    observed: JSON.parse(row.observed) as Observed,
    seenGeneration: row.seen_generation,
    hostLost: row.host_lost === 1,
    status: row.status as Status,
    statusReason: row.status_reason,
  }
}

function membershipOf(row: ContainerRow): Container['capsule'] {
  if (row.capsule_id === null) return null
  return {
    capsuleId: row.capsule_id as CapsuleId,
    role: row.capsule_role as CapsuleRole,
    position: row.capsule_position ?? 0,
  }
}

export function toRow(container: Container): Omit<ContainerRow, 'seq'> {
  return {
    id: container.id,
    project_id: container.projectId,
    user_id: container.userId,
    created_at: container.createdAt,
    ...(containerColumns(container) as Omit<ContainerRow, 'seq' | 'id' | 'project_id' | 'user_id' | 'created_at'>),
  }
}

/** With every column that may be left out, too. */
export function wholeRow(container: Container): Omit<ContainerRow, 'seq'> {
  return {
    ...toRow(container),
    moving: container.moving ? JSON.stringify(container.moving) : null,
    lease: container.lease ?? null,
  }
}

/** The columns that a change touches; a spec also sets the ones that lists filter and sums add up. */
export function containerColumns(change: ContainerChange): Partial<ContainerRow> {
  const columns: Partial<ContainerRow> = {}
  if (change.name !== undefined) columns.name = change.name
  if (change.updatedAt !== undefined) columns.updated_at = change.updatedAt
  if (change.spec !== undefined) {
    columns.spec = JSON.stringify(change.spec)
    columns.image = change.spec.image
    columns.cpu = change.spec.cpu
    columns.memory = change.spec.memory
    columns.disk = change.spec.disk
    columns.auto_remove = Number(change.spec.autoRemove)
  }
  if (change.wish !== undefined) columns.wish = JSON.stringify(change.wish)
  if (change.nics !== undefined) columns.nics = JSON.stringify(change.nics)
  if (change.mounts !== undefined) columns.mounts = JSON.stringify(change.mounts)
  if (change.capsule !== undefined) {
    columns.capsule_id = change.capsule?.capsuleId ?? null
    columns.capsule_role = change.capsule?.role ?? null
    columns.capsule_position = change.capsule?.position ?? null
  }
  if (change.registryId !== undefined) columns.registry_id = change.registryId
  if (change.sealedRegistryAuth !== undefined) columns.sealed_registry_auth = change.sealedRegistryAuth
  if (change.moving !== undefined) columns.moving = change.moving && JSON.stringify(change.moving)
  if (change.task !== undefined) columns.task = change.task
  if (change.hostId !== undefined) columns.host_id = change.hostId
  if (change.hostName !== undefined) columns.host_name = change.hostName
  if (change.lease !== undefined) columns.lease = change.lease
  if (change.imageRef !== undefined) columns.image_ref = change.imageRef
  if (change.imageManifest !== undefined) columns.image_manifest = change.imageManifest
  if (change.placementFailure !== undefined) columns.placement_failure = change.placementFailure
  if (change.observed !== undefined) columns.observed = JSON.stringify(change.observed)
  if (change.seenGeneration !== undefined) columns.seen_generation = change.seenGeneration
  if (change.hostLost !== undefined) columns.host_lost = Number(change.hostLost)
  if (change.status !== undefined) columns.status = change.status
  if (change.statusReason !== undefined) columns.status_reason = change.statusReason
  return columns
}
