import { imageVisibilities } from '@gantry/model'
import Type, { type Static } from 'typebox'
import { exact, FreeName, listOf, orNull, Other, Time } from './fields.ts'

export const RepoName = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-z0-9][a-z0-9._/:-]*$' })
export const TagName = Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$' })
const Visibility = Type.Unsafe<(typeof imageVisibilities)[number]>({ type: 'string', enum: [...imageVisibilities] })
const Digest = Type.String({ description: '`sha256:…` of its manifest, or of its data.' })

const Image = Type.Object({
  id: Type.String({ format: 'uuid' }),
  name: Type.String({ description: 'As it is called: `repo:tag`, or what users of Glance named it.' }),
  repo: Type.String(),
  tag: Type.String(),
  projectId: Type.String(),
  kind: Type.Unsafe<string>({ type: 'string', enum: ['image', 'index', 'artifact', 'data'] }),
  status: Type.Unsafe<string>({ type: 'string', enum: ['queued', 'saving', 'active'] }),
  visibility: Visibility,
  protected: Type.Boolean({ description: 'It cannot be deleted.' }),
  digest: orNull(Digest),
  imageId: orNull(Type.String({ description: 'What engines call it.' })),
  size: orNull(Type.Integer({ description: 'Bytes when unpacked; null: not known yet.' })),
  bytes: orNull(Type.Integer({ description: 'Bytes in the store; null: it has no content yet.' })),
  createdAt: Time,
  updatedAt: Time,
})
export type ImageView = Static<typeof Image>

export const PatchImage = Type.Object(
  { name: Type.Optional(orNull(FreeName)), visibility: Type.Optional(Visibility) },
  { ...exact, minProperties: 1 },
)
export const TagImage = Type.Object({ repo: RepoName, tag: Type.Optional(TagName) }, exact)

const memberStatuses = ['pending', 'accepted', 'rejected'] as const
const MemberStatus = Type.Unsafe<(typeof memberStatuses)[number]>({ type: 'string', enum: [...memberStatuses] })
const ImageMember = Type.Object({
  projectId: Type.String(),
  status: MemberStatus,
  createdAt: Time,
})
export type ImageMemberView = Static<typeof ImageMember>
export const Membership = Type.Object({ status: MemberStatus }, exact)
export const AddMember = Type.Object({ project: Other('The project that may use it') }, exact)

const ImageProvenance = Type.Object({
  mediaType: Type.String(),
  platforms: Type.Array(Type.String()),
  layers: Type.Array(
    Type.Object({ digest: Digest, bytes: Type.Integer(), createdBy: Type.String({ description: 'By which step.' }) }),
  ),
  pushedBy: orNull(Type.String({ description: 'A user’s id.' })),
  pushedAt: Time,
  usedBy: Type.Array(Type.String(), { description: 'Names of containers of the project.' }),
  signatures: Type.Array(
    Type.Object({
      digest: Digest,
      verified: orNull(Type.Boolean({ description: 'By a key of the project; null: it has none.' })),
    }),
  ),
})
export type ProvenanceView = Static<typeof ImageProvenance>

const Pem = Type.String({ maxLength: 16_384, pattern: '^\\s*-----BEGIN PUBLIC KEY-----[^\\u0000]*$' })
export const SignaturePolicy = Type.Object(
  {
    keys: Type.Array(Pem, { maxItems: 32, description: 'PEM of public keys; one signature by one of them is enough.' }),
  },
  exact,
)
export type SignaturePolicyView = Static<typeof SignaturePolicy>

const SweptImages = Type.Object({ manifests: Type.Integer(), blobs: Type.Integer(), bytes: Type.Integer() })
export type SweptView = Static<typeof SweptImages>
const VerifiedImages = Type.Object({ checked: Type.Integer(), corrupt: Type.Array(Digest) })
export type VerifiedView = Static<typeof VerifiedImages>

export const imageDocuments = {
  Image,
  ImageList: listOf('images', 'Image'),
  ImageMember,
  ImageMemberList: listOf('members', 'ImageMember'),
  ImageProvenance,
  SignaturePolicy,
  SweptImages,
  VerifiedImages,
} as const
