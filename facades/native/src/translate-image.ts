import type { Provenance } from '@gantry/control'
import { formatImageName, type Image, type ImageMember } from '@gantry/model'
import type { ImageMemberView, ImageView, ProvenanceView } from './schemas-image.ts'
import { isoTime } from './times.ts'

export function toImageView(image: Image): ImageView {
  const { id, repo, tag, projectId, kind, status, visibility, digest, imageId, size, bytes } = image
  return {
    id,
    name: image.name ?? (repo === '' ? '' : formatImageName(repo, tag)),
    repo,
    tag,
    projectId,
    kind,
    status,
    visibility,
    protected: image.glance.protected,
    digest,
    imageId,
    size,
    bytes,
    createdAt: isoTime(image.createdAt),
    updatedAt: isoTime(image.updatedAt),
  }
}

export function toMemberView({ projectId, status, createdAt }: ImageMember): ImageMemberView {
  return { projectId, status, createdAt: isoTime(createdAt) }
}

export function toProvenanceView({
  pushedAt,
  layers,
  platforms,
  usedBy,
  signatures,
  ...rest
}: Provenance): ProvenanceView {
  return {
    ...rest,
    pushedAt: isoTime(pushedAt),
    platforms: [...platforms],
    layers: [...layers],
    usedBy: [...usedBy],
    signatures: [...signatures],
  }
}
