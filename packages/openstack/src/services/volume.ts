import Type, { type Static } from 'typebox'
import { maybe, texts } from '../bodies.ts'
import { type Context, path } from '../call.ts'
import { type Collection, collection, formOf } from '../collection.ts'
import { reader, within } from '../reader.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'

const text = Type.Optional(Type.String())

export const Volume = Type.Object({
  id: Type.String(),
  name: maybe(Type.String()),
  description: maybe(Type.String()),
  /** creating, available, reserved, attaching, in-use, detaching, deleting, error, error_deleting, … */
  status: Type.String(),
  /** GiB */
  size: Type.Number(),
  availability_zone: maybe(Type.String()),
  volume_type: maybe(Type.String()),
  multiattach: Type.Optional(Type.Boolean()),
  encrypted: Type.Optional(Type.Boolean()),
  bootable: maybe(Type.String()),
  snapshot_id: maybe(Type.String()),
  source_volid: maybe(Type.String()),
  metadata: Type.Optional(texts),
  attachments: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Unknown()))),
  created_at: maybe(Type.String()),
  user_id: maybe(Type.String()),
  'os-vol-tenant-attr:tenant_id': maybe(Type.String()),
  /** Of the image that it was made from. */
  volume_image_metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type Volume = Static<typeof Volume>
export const VolumeCreate = Type.Object({
  /** GiB; may be left out where there is a source. */
  size: Type.Optional(Type.Number()),
  name: text,
  description: text,
  availability_zone: text,
  volume_type: text,
  snapshot_id: text,
  source_volid: text,
  imageRef: text,
  /** Since 3.47. */
  backup_id: text,
  consistencygroup_id: text,
  metadata: Type.Optional(texts),
})
export type VolumeCreate = Static<typeof VolumeCreate>
export const VolumeUpdate = Type.Object({ name: text, description: text, metadata: Type.Optional(texts) })
export type VolumeUpdate = Static<typeof VolumeUpdate>

export const VolumeSnapshot = Type.Object({
  id: Type.String(),
  name: maybe(Type.String()),
  description: maybe(Type.String()),
  volume_id: Type.String(),
  status: Type.String(),
  size: Type.Number(),
  created_at: maybe(Type.String()),
  'os-extended-snapshot-attributes:project_id': maybe(Type.String()),
})
export type VolumeSnapshot = Static<typeof VolumeSnapshot>
export const SnapshotCreate = Type.Object({
  volume_id: Type.String(),
  name: text,
  description: text,
  force: Type.Optional(Type.Boolean()),
})
export type SnapshotCreate = Static<typeof SnapshotCreate>

export const VolumeBackup = Type.Object({
  id: Type.String(),
  name: maybe(Type.String()),
  volume_id: Type.String(),
  /** creating, available, restoring, deleting, error, … */
  status: Type.String(),
  fail_reason: maybe(Type.String()),
  size: Type.Number(),
  created_at: maybe(Type.String()),
  'os-backup-project-attr:project_id': maybe(Type.String()),
})
export type VolumeBackup = Static<typeof VolumeBackup>
export const BackupCreate = Type.Object({
  volume_id: Type.String(),
  name: text,
  /** Also of a volume that is in use. */
  force: Type.Optional(Type.Boolean()),
})
export type BackupCreate = Static<typeof BackupCreate>

export const Attachment = Type.Object({
  id: Type.String(),
  volume_id: Type.String(),
  status: Type.String(),
  instance: maybe(Type.String()),
  attach_mode: maybe(Type.String()),
  /** What a host needs to reach the volume; may hold secrets of the storage. */
  connection_info: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
})
export type Attachment = Static<typeof Attachment>
export const VolumeType = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: maybe(Type.String()),
  is_public: Type.Optional(Type.Boolean()),
  /** Others than administrators see few of them; `multiattach` is one. */
  extra_specs: Type.Optional(texts),
})
export type VolumeType = Static<typeof VolumeType>

/** What a host can connect with: `initiator`, `ip`, `host`, `multipath`, … */
export type Connector = Readonly<Record<string, unknown>>
export interface AttachmentCreate {
  readonly volume_uuid: string
  /** A UUID, or left out: Cinder refuses null. */
  readonly instance_uuid?: string
  readonly connector?: Connector
  /** ro, rw */
  readonly mode?: string
}

/** Cinder v3. */
export interface VolumeService {
  readonly volumes: Collection<Volume, VolumeCreate, VolumeUpdate>
  readonly snapshots: Collection<VolumeSnapshot, SnapshotCreate, Pick<SnapshotCreate, 'name' | 'description'>>
  /** Of the service `cinder-backup`, which need not run. */
  readonly backups: Pick<Collection<VolumeBackup, BackupCreate, never>, 'list' | 'show' | 'create' | 'remove'>
  /** `create` reserves the volume, `update` connects it, `complete` says that it is in use, `remove` ends it all. */
  readonly attachments: {
    list: Collection<Attachment, never, never>['list']
    show: Collection<Attachment, never, never>['show']
    create(body: AttachmentCreate, context: Context): Promise<Attachment>
    update(id: string, connector: Connector, context: Context): Promise<Attachment>
    complete(id: string, context: Context): Promise<void>
    remove(id: string, context: Context): Promise<boolean>
  }
  readonly types: Pick<Collection<VolumeType, never, never>, 'list' | 'show'>
  extend(id: string, gib: number, context: Context): Promise<void>
  /** For administrators: whether a daemon of this name (`cinder-backup`) runs anywhere. */
  runs(binary: string, context: Context): Promise<boolean>
  /** For administrators: says which status a volume has, whatever has become of it. */
  resetStatus(id: string, status: string, context: Context): Promise<void>
  /** As `volumes.create`, with what the scheduler is told besides: `{ different_host: '<volume id>' }`. */
  createNear(body: VolumeCreate, hints: Readonly<Record<string, unknown>>, context: Context): Promise<Volume>
  /** Adds these, or changes them; the others stay. */
  setMetadata(id: string, words: Readonly<Record<string, string>>, context: Context): Promise<void>
  /** False if it was not there. */
  removeMetadata(id: string, key: string, context: Context): Promise<boolean>
}

const forms = {
  volumes: formOf(Volume, { path: '/volumes', one: 'volume', many: 'volumes', listPath: '/volumes/detail' }),
  snapshots: formOf(VolumeSnapshot, {
    path: '/snapshots',
    one: 'snapshot',
    many: 'snapshots',
    listPath: '/snapshots/detail',
  }),
  backups: formOf(VolumeBackup, { path: '/backups', one: 'backup', many: 'backups', listPath: '/backups/detail' }),
  attachments: formOf(Attachment, {
    path: '/attachments',
    one: 'attachment',
    many: 'attachments',
    listPath: '/attachments/detail',
  }),
  types: formOf(VolumeType, { path: '/types', one: 'volume_type', many: 'volume_types' }),
} as const
const oneVolume = within('volume', forms.volumes.reader)
const daemonList = within(
  'services',
  reader(Type.Array(Type.Object({ binary: Type.String(), state: Type.String(), status: Type.String() }))),
)
const newBackup = within('backup', reader(Type.Object({ id: Type.String() })))

export function volumeService(session: Session): VolumeService {
  const service = serviceOf(session, kinds.volume)
  const attachments = collection<Attachment, AttachmentCreate, { connector: Connector }>(service, forms.attachments)
  const backups = collection<VolumeBackup, BackupCreate, never>(service, forms.backups)
  return {
    volumes: collection(service, forms.volumes),
    snapshots: collection(service, forms.snapshots),
    attachments: {
      ...attachments,
      update: (id, connector, context) => attachments.update(id, { connector }, context),
      async complete(id, context) {
        await service.send(
          { method: 'POST', path: path`/attachments/${id}/action`, json: { 'os-complete': {} } },
          context,
        )
      },
    },
    backups: {
      ...backups,
      async create(backup, context) {
        // Cinder answers with little more than the id.
        const { id } = await service.read(newBackup, { method: 'POST', path: '/backups', json: { backup } }, context)
        return backups.show(id, context)
      },
    },
    types: collection<VolumeType, never, never>(service, forms.types),
    createNear: (volume, hints, context) => {
      const json = { volume, 'OS-SCH-HNT:scheduler_hints': hints }
      return service.read(oneVolume, { method: 'POST', path: '/volumes', json }, context)
    },
    async setMetadata(id, metadata, context) {
      // What is added twice is there once.
      const call = { method: 'POST', path: path`/volumes/${id}/metadata`, json: { metadata }, mayRepeat: true } as const
      await service.send(call, context)
    },
    removeMetadata: (id, key, context) => service.remove(path`/volumes/${id}/metadata/${key}`, context),
    async extend(id, gib, context) {
      const json = { 'os-extend': { new_size: gib } }
      await service.send({ method: 'POST', path: path`/volumes/${id}/action`, json }, context)
    },
    async runs(binary, context) {
      const call = { method: 'GET', path: '/os-services', query: { binary } } as const
      const daemons = await service.read(daemonList, call, context)
      return daemons.some(({ state, status }) => state === 'up' && status === 'enabled')
    },
    async resetStatus(id, status, context) {
      const json = { 'os-reset_status': { status } }
      await service.send({ method: 'POST', path: path`/volumes/${id}/action`, json }, context)
    },
  }
}
