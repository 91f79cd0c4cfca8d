import Type, { type Static } from 'typebox'
import { exact, FreeName, listOf, Other, orNull, Path, textMap, Time } from './fields.ts'
import { ContainerAddress } from './schemas-network.ts'

const GiB = Type.Integer({ minimum: 1, maximum: 1_048_576, description: 'GiB' })
const Owned = { id: Type.String({ format: 'uuid' }), projectId: Type.String(), name: Type.String() }
const status = (...words: string[]) => Type.Unsafe<string>({ type: 'string', enum: words })

export const CreateVolume = Type.Object(
  {
    name: FreeName,
    size: Type.Optional(GiB),
    snapshot: Type.Optional(Other('A snapshot to begin from; its size is then the default and the least')),
  },
  exact,
)
export const RenameVolume = Type.Object({ name: FreeName }, exact)
export const CreateSnapshot = Type.Object({ volume: Other('The volume'), name: Type.Optional(FreeName) }, exact)
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
  hostId: orNull(Type.String({ description: 'Where its data is; shown to administrators.' })),
  containerId: orNull(Type.String({ description: 'The container that has it.' })),
  snapshotId: orNull(Type.String({ description: 'What it began from.' })),
  ephemeral: Type.Boolean({ description: 'Made for its container: it goes with it.' }),
  createdAt: Time,
})
export type VolumeView = Static<typeof Volume>

const Snapshot = Type.Object({
  ...Owned,
  volumeId: Type.String(),
  size: GiB,
  status: status('creating', 'available', 'deleting', 'error'),
  statusReason: orNull(Type.String()),
  createdAt: Time,
})
export type SnapshotView = Static<typeof Snapshot>

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
  Capsule,
  CapsuleList: Type.Object({
    ...listOf('capsules', 'Capsule').properties,
    next: orNull(Type.String({ description: 'The marker of the next page; null: this is the last.' })),
  }),
} as const
