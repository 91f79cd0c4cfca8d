import type { Announcement, ForeignImage } from '@gantry/control'
import type { ImageId, ProjectId } from '@gantry/model'
import type { Image, ImageCreate } from '@gantry/openstack'

/** Of this cloud: marks at Glance what was made here. */
export const deploymentProperty = 'gantry_deployment'
/** Of the manifest here. */
const digestProperty = 'gantry_digest'

const visibilities = ['public', 'private', 'shared', 'community'] as const

export function foreignImage(image: Image): ForeignImage {
  const { id, name, owner, status, checksum } = image
  return {
    id: id as ImageId,
    projectId: (owner ?? '') as ProjectId,
    name: name ?? '',
    status,
    visibility: visibilities.find((each) => each === image.visibility) ?? 'private',
    containerFormat: image.container_format ?? null,
    diskFormat: image.disk_format ?? null,
    isProtected: image.protected ?? false,
    hash: image.os_hash_value ?? checksum ?? null,
    createdAt: Date.parse(image.created_at ?? '') || 0,
  }
}

/** `owner` is for administrators to say. */
export function recordOf(
  { id, projectId, name, visibility, digest }: Announcement,
  { deployment, withOwner }: { readonly deployment: string; readonly withOwner: boolean },
): ImageCreate {
  return {
    id,
    name,
    visibility,
    container_format: 'docker',
    disk_format: 'raw',
    [digestProperty]: digest,
    [deploymentProperty]: deployment,
    ...(withOwner && { owner: projectId }),
  }
}

/** Glance's filter for one of these names; quoted, so that a comma is a letter. */
export function nameFilter(names: readonly string[]): string {
  return `in:${names.map((name) => `"${name.replaceAll('"', '\\"')}"`).join(',')}`
}
