import type { HostId, ImageId, ProjectId } from './ids.ts'

/** An image a host holds that we know of: one a project committed, or one that was pulled through us. */
export interface Image {
  readonly id: ImageId
  /** null: usable by everybody. */
  readonly projectId: ProjectId | null
  readonly hostId: HostId
  readonly hostName: string
  readonly repo: string
  readonly tag: string
  /** The reference the engine knows it by. */
  readonly engineRef: string
  /** The engine's image id (`sha256:…`); null while it is being made. */
  readonly imageId: string | null
  /** Bytes. */
  readonly size: number | null
  readonly createdAt: number
}

/** Splits `registry:5000/a/b:tag` or `a@sha256:…` into name and tag; the tag defaults to `latest`. */
export function parseImageName(name: string): { repo: string; tag: string } {
  const at = name.indexOf('@')
  if (at > 0) return { repo: name.slice(0, at), tag: name.slice(at + 1) }
  const colon = name.lastIndexOf(':')
  if (colon > name.lastIndexOf('/')) return { repo: name.slice(0, colon), tag: name.slice(colon + 1) || 'latest' }
  return { repo: name, tag: 'latest' }
}

/** The name of `image` at the registry `domain`, which it may hold already. */
export function imageAt(domain: string, image: string): string {
  return image.startsWith(`${domain}/`) ? image : `${domain}/${image}`
}

/** `repo:tag`, or `repo@sha256:…` for a digest. */
export function formatImageName(repo: string, tag: string): string {
  return tag.includes(':') ? `${repo}@${tag}` : `${repo}:${tag}`
}
