import Type, { type Static } from 'typebox'
import type { ContainerId, HostId, ProjectId, SnapshotId, UserId, VolumeId } from './ids.ts'

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
  /** Where its data is; null: nowhere yet. */
  readonly hostId: HostId | null
  /** The container it is for, or mounted in; always null where it is shared. */
  readonly containerId: ContainerId | null
  readonly snapshotId: SnapshotId | null
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
  readonly hostId: HostId
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

/** What a host is told of one volume or snapshot: the whole of it, every time. */
export const VolumePlan = Type.Object({
  kind: Type.Union([Type.Literal('volume'), Type.Literal('snapshot')]),
  id: Type.String(),
  /** GiB. */
  size: Type.Integer({ minimum: 1 }),
  /** A volume's snapshot to begin from, a snapshot's volume; null: an empty file system. */
  source: Type.Union([volumeId, snapshotId, Type.Null()]),
  /** It has been there: data that is missing now is an error, and must not be replaced by an empty file system. */
  made: Type.Boolean(),
  gone: Type.Boolean(),
})
export type VolumePlan = Static<typeof VolumePlan>

/** What a host says of one. */
export const VolumeReport = Type.Object({
  kind: Type.Union([Type.Literal('volume'), Type.Literal('snapshot')]),
  id: Type.String(),
  state: Type.Union([Type.Literal('available'), Type.Literal('gone'), Type.Literal('error')]),
  /** Why it is in error; empty otherwise. */
  reason: Type.String(),
})
export type VolumeReport = Static<typeof VolumeReport>
