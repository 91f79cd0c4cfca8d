import Type, { type Static } from 'typebox'
import type { BackupId, ContainerId, HostId, ProjectId, SnapshotId, UserId, VolumeId } from './ids.ts'

/** `local`: a file on the disk of one host; else the OpenStack service that keeps it. */
export type VolumeBackendName = 'local' | 'cinder' | 'manila'

/** Words as in Cinder. */
export type VolumeStatus = 'creating' | 'available' | 'in-use' | 'deleting' | 'error'

export interface Volume {
  readonly id: VolumeId
  readonly projectId: ProjectId
  readonly userId: UserId
  readonly name: string
  /** GiB. */
  readonly size: number
  readonly status: VolumeStatus
  readonly statusReason: string | null
  /** The service that keeps it; left out: `local`. */
  readonly backend?: VolumeBackendName
  /** Where its data is, or where it is attached if another service keeps it; null: nowhere yet. */
  readonly hostId: HostId | null
  /** The container it is for, or mounted in; always null where it is shared. */
  readonly containerId: ContainerId | null
  readonly snapshotId: SnapshotId | null
  /** The volume whose data it began with. */
  readonly sourceVolumeId?: VolumeId
  /** The backup it was made from. */
  readonly backupId?: BackupId
  /** A kind of storage that the cloud offers; only where another service keeps it. */
  readonly volumeType?: string
  /** Several hosts may reach it at once. */
  readonly multiattach?: boolean
  /** Made for its container: it goes with it, or with the last one that has it. */
  readonly ephemeral: boolean
  /** Several containers of its project may have it at once, all on the host of its data. */
  readonly shared?: boolean
  /** Only of what a Docker client made, as are the options it gave. */
  readonly labels?: Readonly<Record<string, string>>
  readonly options?: Readonly<Record<string, string>>
  /** Epoch milliseconds. */
  readonly createdAt: number
}

export interface Snapshot {
  readonly id: SnapshotId
  readonly projectId: ProjectId
  readonly name: string
  readonly volumeId: VolumeId
  /** GiB, of the volume. */
  readonly size: number
  readonly status: 'creating' | 'available' | 'deleting' | 'error'
  readonly statusReason: string | null
  /** null: another service keeps it. */
  readonly hostId: HostId | null
  readonly createdAt: number
}

/** A copy of a volume's data that is kept away from it. */
export interface Backup {
  readonly id: BackupId
  readonly projectId: ProjectId
  readonly name: string
  readonly volumeId: VolumeId
  /** GiB, of the volume. */
  readonly size: number
  readonly status: 'creating' | 'available' | 'deleting' | 'error'
  readonly statusReason: string | null
  readonly createdAt: number
}

const volumeId = Type.Unsafe<VolumeId>(Type.String())
const snapshotId = Type.Unsafe<SnapshotId>(Type.String())

/** What a container mounts, as its host must do it. */
export const Mount = Type.Union([
  Type.Object({
    kind: Type.Literal('volume'),
    volumeId,
    destination: Type.String(),
    readOnly: Type.Boolean(),
    /** While nothing was ever written to it, it begins with what the image has at its destination. */
    fill: Type.Optional(Type.Boolean()),
  }),
  /** A file of the host's that holds `content` (base64) and is the container's own. */
  Type.Object({ kind: Type.Literal('file'), destination: Type.String(), content: Type.String() }),
])
export type Mount = Static<typeof Mount>

/**
 * How a host reaches a volume that another service keeps, in Cinder's words (`connection_info` of an attachment), or for a
 * share `{ driver_volume_type: 'share', protocol, export }`. May hold secrets of the storage: never logged.
 */
export const Connection = Type.Unsafe<{ readonly driver_volume_type: string; readonly [key: string]: unknown }>(
  Type.Object({ driver_volume_type: Type.String() }, { additionalProperties: true }),
)
export type Connection = Static<typeof Connection>

/** A volume that another service keeps. */
export const RemoteVolume = Type.Object({
  /** null: not known yet; a later plan tells. */
  connection: Type.Union([Connection, Type.Null()]),
  /** The file system it is given if it has none: ext4, xfs, … */
  fsType: Type.String(),
  /** It was made by us with nothing in it, and no host has ever mounted it: without any signature it may be formatted. */
  blank: Type.Boolean(),
  /** It was made elsewhere with nothing in it: without any signature it may be formatted if every byte of it is zero. */
  maybeBlank: Type.Optional(Type.Boolean()),
  readOnly: Type.Boolean(),
  /** Why there is no connection and it may be long until there is one, as a sentence. What waits for it gives up. */
  problem: Type.Optional(Type.String()),
})
export type RemoteVolume = Static<typeof RemoteVolume>

/** What a host is told of one volume or snapshot: the whole of it, every time. */
export const VolumePlan = Type.Object({
  kind: Type.Union([Type.Literal('volume'), Type.Literal('snapshot')]),
  id: Type.String(),
  /** GiB. */
  size: Type.Integer({ minimum: 1 }),
  /** A volume's snapshot to begin from, a snapshot's volume; null: an empty file system. */
  source: Type.Union([volumeId, snapshotId, Type.Null()]),
  /** What the source is, where that is not a volume's snapshot or a snapshot's volume. */
  sourceKind: Type.Optional(Type.Union([Type.Literal('volume'), Type.Literal('snapshot')])),
  /** It has been there: data that is missing now is an error, and must not be replaced by an empty file system. */
  made: Type.Boolean(),
  /** Of a remote one: nothing of it may be left on this host; its data stays where it is. */
  gone: Type.Boolean(),
  /** Its data is not on this host's disk. */
  remote: Type.Optional(RemoteVolume),
})
export type VolumePlan = Static<typeof VolumePlan>

/** What a host says of one. */
export const VolumeReport = Type.Object({
  kind: Type.Union([Type.Literal('volume'), Type.Literal('snapshot')]),
  id: Type.String(),
  state: Type.Union([Type.Literal('available'), Type.Literal('gone'), Type.Literal('error')]),
  /** Why it is in error, or what it lacks though it is there; empty otherwise. A remote one is `available` once it is mounted, and `gone` once nothing is left. */
  reason: Type.String(),
})
export type VolumeReport = Static<typeof VolumeReport>
