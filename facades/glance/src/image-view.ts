import { formatImageName, type Image, type ImageMember } from '@gantry/model'

/** As Glance writes times: seconds, in UTC. */
export function glanceTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** null: it has none. */
export function nameOf({ name, repo, tag }: Image): string | null {
  return (name ?? (repo === '' ? null : formatImageName(repo, tag))) || null
}

/** Version 2's image. Custom properties come first, so that none can pass for one of Glance's own. */
export function toImage(image: Image): Readonly<Record<string, unknown>> {
  const { id, glance } = image
  return {
    ...glance.properties,
    id,
    name: nameOf(image),
    status: image.status,
    visibility: image.visibility,
    owner: image.projectId,
    protected: glance.protected,
    os_hidden: glance.hidden,
    tags: glance.tags,
    container_format: glance.containerFormat,
    disk_format: glance.diskFormat,
    min_disk: glance.minDisk,
    min_ram: glance.minRam,
    // What it weighs here: a tar of it is made anew for each download, and is a little longer.
    size: image.bytes,
    virtual_size: image.size,
    checksum: glance.checksum,
    os_hash_algo: glance.osHash === null ? null : 'sha512',
    os_hash_value: glance.osHash,
    created_at: glanceTime(image.createdAt),
    updated_at: glanceTime(image.updatedAt),
    self: `/v2/images/${id}`,
    file: `/v2/images/${id}/file`,
    schema: '/v2/schemas/image',
  }
}

export function toMember({ imageId, projectId, status, createdAt, updatedAt }: ImageMember): object {
  return {
    image_id: imageId,
    member_id: projectId,
    status,
    created_at: glanceTime(createdAt),
    updated_at: glanceTime(updatedAt),
    schema: '/v2/schemas/member',
  }
}
