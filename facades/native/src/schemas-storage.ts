import type { VolumeBackendName } from '@gantry/model'
import Type, { type Static } from 'typebox'
import { exact, FreeName, listOf, Other, orNull, Path, ShortText, textMap, Time } from './fields.ts'
import { ContainerAddress } from './schemas-network.ts'

const GiB = Type.Integer({ minimum: 1, maximum: 1_048_576, description: 'GiB' })
const Owned = { id: Type.String({ format: 'uuid' }), projectId: Type.String(), name: Type.String() }
const status = (...words: string[]) => Type.Unsafe<string>({ type: 'string', enum: words })

const backend = () => status('local', 'cinder', 'manila')

export const CreateVolume = Type.Object(
  {
    name: FreeName,
    size: Type.Optional(GiB),
    snapshot: Type.Optional(Other('A snapshot to begin from; its size is then the default and the least')),
    volume: Type.Optional(Other('A volume to begin as a copy of; its size as with a snapshot')),
    backup: Type.Optional(Other('A backup to begin from; its size as with a snapshot')),
    backend: Type.Optional(
      Type.Unsafe<VolumeBackendName>({
        ...backend(),
        description: 'The service that is to keep it; the first that the cloud has if left out.',
      }),
    ),
    type: Type.Optional(Other('A kind of storage that the service offers')),
    multiattach: Type.Optional(
      Type.Boolean({ description: 'Several hosts are to reach it at once; a type that allows it is chosen.' }),
    ),
    availabilityZone: Type.Optional(ShortText),
    description: Type.Optional(FreeName),
    fsType: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]{1,16}$',
        description: 'The file system that a new one of another service is given; ext4 if left out.',
      }),
    ),
  },
  exact,
)
export const ChangeVolume = Type.Object(
  {
    name: Type.Optional(FreeName),
    size: Type.Optional(Type.Integer({ ...GiB, description: 'GiB, more than it has; also while a container has it.' })),
  },
  { ...exact, minProperties: 1 },
)
export const CreateSnapshot = Type.Object({ volume: Other('The volume'), name: Type.Optional(FreeName) }, exact)
export const CreateBackup = Type.Object({ volume: Other('The volume'), name: Type.Optional(FreeName) }, exact)
export const CreateCapsule = Type.Object(
  {
    template: Type.Unknown({
      description: "Zun's capsule template, as an object or its JSON text; see docs/api/native.md.",
    }),
  },
  exact,
)

/** What a container is asked to mount: exactly one of `source`, `size` and `content`. */
export const AskedMount = Type.Object(
  {
    source: Type.Optional(Other('A volume')),
    size: Type.Optional(Type.Integer({ ...GiB, description: 'GiB of a new volume that goes with the container.' })),
    content: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9+/]*={0,2}$',
        maxLength: 1_048_576,
        description: 'A file with these bytes, in base64.',
      }),
    ),
    destination: Path,
    readOnly: Type.Optional(Type.Boolean()),
  },
  exact,
)

/** What a container mounts; what is in a file is never shown. */
export const ContainerMount = Type.Object({
  kind: Type.Union([Type.Literal('volume'), Type.Literal('file')]),
  destination: Type.String(),
  readOnly: Type.Boolean(),
  volumeId: orNull(Type.String()),
  size: orNull(Type.Integer({ description: 'Bytes of the file; null for a volume.' })),
})

const Volume = Type.Object({
  ...Owned,
  userId: Type.String(),
  size: GiB,
  status: status('creating', 'available', 'in-use', 'deleting', 'error'),
  statusReason: orNull(Type.String()),
  backend: backend(),
  volumeType: orNull(Type.String({ description: 'The kind of storage, where another service keeps it.' })),
  multiattach: Type.Boolean({ description: 'Several hosts may reach it at once.' }),
  shared: Type.Boolean({ description: 'Several containers may have it at once, all on one host.' }),
  hostId: orNull(Type.String({ description: 'Where its data is, or it is attached; shown to administrators.' })),
  host: orNull(Type.String({ description: 'The name of that host; shown to administrators.' })),
  containerId: orNull(Type.String({ description: 'The container that alone has it.' })),
  mounts: Type.Array(
    Type.Object({
      containerId: Type.String(),
      containerName: Type.String(),
      destination: Type.String(),
      readOnly: Type.Boolean(),
    }),
    { description: 'Every container that has it, those in capsules too, and where.' },
  ),
  snapshotId: orNull(Type.String({ description: 'The snapshot it began from.' })),
  sourceVolumeId: orNull(Type.String({ description: 'The volume it began as a copy of.' })),
  ephemeral: Type.Boolean({ description: 'Made for its container: it goes with it.' }),
  createdAt: Time,
})
export type VolumeView = Static<typeof Volume>

const copyFields = {
  ...Owned,
  volumeId: Type.String(),
  size: GiB,
  status: status('creating', 'available', 'deleting', 'error'),
  statusReason: orNull(Type.String()),
  createdAt: Time,
}
const Snapshot = Type.Object(copyFields)
export type SnapshotView = Static<typeof Snapshot>
const Backup = Type.Object(copyFields)
export type BackupView = Static<typeof Backup>

const Labels = textMap('^[^\\u0000]*$', 'Labels.')
/** With the containers as the document shows them; `C` is their type. */
const Capsule = Type.Object({
  ...Owned,
  userId: Type.String(),
  status: status('Creating', 'Running', 'Stopped', 'Error', 'Deleting'),
  statusReason: orNull(Type.String()),
  host: orNull(Type.String({ description: 'Shown to administrators.' })),
  labels: Labels,
  annotations: Labels,
  restartPolicy: status('always', 'on-failure', 'no'),
  addresses: Type.Array(ContainerAddress),
  ...listOf('containers', 'Container').properties,
  ...listOf('initContainers', 'Container').properties,
  createdAt: Time,
  updatedAt: Time,
})
export type CapsuleFields = Omit<Static<typeof Capsule>, 'containers' | 'initContainers'>

export const storageDocuments = {
  Volume,
  VolumeList: listOf('volumes', 'Volume'),
  Snapshot,
  SnapshotList: listOf('snapshots', 'Snapshot'),
  Backup,
  BackupList: listOf('backups', 'Backup'),
  Capsule,
  CapsuleList: Type.Object({
    ...listOf('capsules', 'Capsule').properties,
    next: orNull(Type.String({ description: 'The marker of the next page; null: this is the last.' })),
  }),
} as const
