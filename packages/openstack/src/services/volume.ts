import Type, { type Static } from 'typebox'
import { maybe, texts } from '../bodies.ts'
import { type Context, path } from '../call.ts'
import { type Collection, collection, formOf } from '../collection.ts'
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
})
export type VolumeSnapshot = Static<typeof VolumeSnapshot>
export const SnapshotCreate = Type.Object({
  volume_id: Type.String(),
  name: text,
  description: text,
  force: Type.Optional(Type.Boolean()),
})
export type SnapshotCreate = Static<typeof SnapshotCreate>

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
  /** `create` reserves the volume, `update` connects it, `complete` says that it is in use, `remove` ends it all. */
  readonly attachments: {
    list: Collection<Attachment, never, never>['list']
    show: Collection<Attachment, never, never>['show']
    create(body: AttachmentCreate, context: Context): Promise<Attachment>
    update(id: string, connector: Connector, context: Context): Promise<Attachment>
    complete(id: string, context: Context): Promise<void>
    remove(id: string, context: Context): Promise<boolean>
  }
  extend(id: string, gib: number, context: Context): Promise<void>
}

const forms = {
  volumes: formOf(Volume, { path: '/volumes', one: 'volume', many: 'volumes', listPath: '/volumes/detail' }),
  snapshots: formOf(VolumeSnapshot, {
    path: '/snapshots',
    one: 'snapshot',
    many: 'snapshots',
    listPath: '/snapshots/detail',
  }),
  attachments: formOf(Attachment, {
    path: '/attachments',
    one: 'attachment',
    many: 'attachments',
    listPath: '/attachments/detail',
  }),
} as const

export function volumeService(session: Session): VolumeService {
  const service = serviceOf(session, kinds.volume)
  const attachments = collection<Attachment, AttachmentCreate, { connector: Connector }>(service, forms.attachments)
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
    async extend(id, gib, context) {
      const json = { 'os-extend': { new_size: gib } }
      await service.send({ method: 'POST', path: path`/volumes/${id}/action`, json }, context)
    },
  }
}
