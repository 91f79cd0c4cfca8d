import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'

// OCI image spec 1.1 ("Content Descriptors", "Image Manifest Specification", "Image Index Specification") and Docker's "Image
// Manifest V 2, Schema 2". What they do not know is kept, and not looked at.

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const

const mediaType = Type.String({ minLength: 1, maxLength: 255 })

const Descriptor = Type.Object({
  mediaType,
  digest: Type.String({ maxLength: 200 }),
  size: Type.Integer({ minimum: 0 }),
  urls: Type.Optional(Type.Array(Type.String())),
  platform: Type.Optional(
    Type.Object({
      os: Type.String({ maxLength: 100 }),
      architecture: Type.String({ maxLength: 100 }),
      variant: Type.Optional(Type.String({ maxLength: 100 })),
    }),
  ),
})
export type Descriptor = Static<typeof Descriptor>

const common = {
  schemaVersion: Type.Literal(2),
  mediaType: Type.Optional(mediaType),
  artifactType: Type.Optional(mediaType),
  subject: Type.Optional(Descriptor),
  annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
}

// More than anything real has, and few enough to be checked while somebody waits.
const most = 2000

// A document that is both would mean one thing to us and another to the next reader.
const ImageManifest = Type.Object({
  ...common,
  config: Descriptor,
  layers: Type.Array(Descriptor, { maxItems: most }),
  manifests: Type.Optional(Type.Never()),
})
const ImageIndex = Type.Object({
  ...common,
  manifests: Type.Array(Descriptor, { maxItems: most }),
  layers: Type.Optional(Type.Never()),
  config: Type.Optional(Type.Never()),
})
export type ImageManifest = Static<typeof ImageManifest>
export type ImageIndex = Static<typeof ImageIndex>

export function manifestChecks() {
  return { manifest: Compile(ImageManifest), index: Compile(ImageIndex) }
}
export type ManifestChecks = ReturnType<typeof manifestChecks>
