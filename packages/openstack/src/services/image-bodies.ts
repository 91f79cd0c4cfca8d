import Type, { type Static } from 'typebox'
import { maybe, strings } from '../bodies.ts'

/** Glance's image; properties of one's own lie beside the fields. */
export const Image = Type.Object({
  id: Type.String(),
  name: maybe(Type.String()),
  /** queued, saving, uploading, importing, active, killed, deleted, pending_delete, deactivated */
  status: Type.String(),
  visibility: Type.Optional(Type.String()),
  owner: maybe(Type.String()),
  tags: Type.Optional(strings),
  container_format: maybe(Type.String()),
  disk_format: maybe(Type.String()),
  size: maybe(Type.Number()),
  virtual_size: maybe(Type.Number()),
  /** MD5, hex. */
  checksum: maybe(Type.String()),
  os_hash_algo: maybe(Type.String()),
  os_hash_value: maybe(Type.String()),
  os_hidden: Type.Optional(Type.Boolean()),
  protected: Type.Optional(Type.Boolean()),
  min_disk: Type.Optional(Type.Number()),
  min_ram: Type.Optional(Type.Number()),
  created_at: Type.Optional(Type.String()),
  updated_at: Type.Optional(Type.String()),
})
export type Image = Static<typeof Image> & { readonly [property: string]: unknown }

export const Visibility = Type.Union([
  Type.Literal('public'),
  Type.Literal('private'),
  Type.Literal('shared'),
  Type.Literal('community'),
])
export const ImageCreate = Type.Object({
  name: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
  container_format: Type.Optional(Type.String()),
  disk_format: Type.Optional(Type.String()),
  visibility: Type.Optional(Visibility),
  tags: Type.Optional(strings),
  protected: Type.Optional(Type.Boolean()),
  os_hidden: Type.Optional(Type.Boolean()),
  min_disk: Type.Optional(Type.Number()),
  min_ram: Type.Optional(Type.Number()),
})
export type ImageCreate = Static<typeof ImageCreate> & { readonly [property: string]: unknown }

/** RFC 6902, of which Glance knows these three. */
export const ImagePatch = Type.Union([
  Type.Object({ op: Type.Literal('add'), path: Type.String(), value: Type.Unknown() }),
  Type.Object({ op: Type.Literal('replace'), path: Type.String(), value: Type.Unknown() }),
  Type.Object({ op: Type.Literal('remove'), path: Type.String() }),
])
export type ImagePatch = Static<typeof ImagePatch>

export const Member = Type.Object({
  image_id: Type.String(),
  member_id: Type.String(),
  /** pending, accepted, rejected */
  status: Type.String(),
})
export type Member = Static<typeof Member>
