import { Fault } from '@gantry/kernel'
import type { Digest } from './digest.ts'
import type { HostId, ImageId, ProjectId, UserId } from './ids.ts'

/** `public`: to everybody; `shared`: to its members and its project; `private`: to its project alone. */
export const imageVisibilities = ['private', 'shared', 'public'] as const
export type ImageVisibility = (typeof imageVisibilities)[number]

/** Glance's words: no content yet, content on its way, usable. */
export type ImageStatus = 'queued' | 'saving' | 'active'

/**
 * What its content is: one image, one image for several platforms, something else that a registry keeps (a signature, a
 * chart), or bytes that only Glance's users know (a disk).
 */
export type ImageKind = 'image' | 'index' | 'artifact' | 'data'

/** What a host holds for an image that the catalogue has no content of yet; the host gives it when it is connected. */
export interface PendingImage {
  readonly hostId: HostId
  /** The reference its engine knows it by. */
  readonly engineRef: string
}

/**
 * One entry of the catalogue: content under a name. Where the content is, is the blob store's to know; hosts only hold
 * copies. `repo` and `tag` are unique in a project while not empty.
 */
export interface Image {
  readonly id: ImageId
  /** Whose it is. */
  readonly projectId: ProjectId
  /** Who brought it here. */
  readonly userId: UserId | null
  /** As Glance shows it; null: `repo:tag`. Need not be unique. */
  readonly name: string | null
  /** Both empty: it has no name, or has lost it. */
  readonly repo: string
  readonly tag: string
  readonly kind: ImageKind
  readonly status: ImageStatus
  readonly visibility: ImageVisibility
  /** Of its manifest, or of its data; null until it is active. */
  readonly digest: Digest | null
  /** What engines call it (`sha256:…` of its config), for an index that of the platform containers run on here. */
  readonly imageId: string | null
  /** Bytes of its files when unpacked, as engines count; null: nobody has unpacked it yet. */
  readonly size: number | null
  /** Bytes in the store: what it weighs on its way. null until it is active. */
  readonly bytes: number | null
  readonly pending: PendingImage | null
  /** What only Glance's users set. */
  readonly glance: GlanceFields
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export interface GlanceFields {
  readonly containerFormat: string | null
  readonly diskFormat: string | null
  /** GiB. */
  readonly minDisk: number
  /** MiB. */
  readonly minRam: number
  readonly protected: boolean
  readonly hidden: boolean
  readonly tags: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  /** MD5 of the data; null for what was not uploaded through Glance's API, or was taken apart. */
  readonly checksum: string | null
  /** SHA-512 of the data; as `checksum`. */
  readonly osHash: string | null
}

/** An image that can be run: made by engines. */
export const dockerImage: GlanceFields = {
  containerFormat: 'docker',
  diskFormat: 'raw',
  minDisk: 0,
  minRam: 0,
  protected: false,
  hidden: false,
  tags: [],
  properties: {},
  checksum: null,
  osHash: null,
}

export interface ImageMember {
  readonly imageId: ImageId
  readonly projectId: ProjectId
  readonly status: 'pending' | 'accepted' | 'rejected'
  readonly createdAt: number
  readonly updatedAt: number
}

/** As people write it: without the engine's own registry (`docker.io/library/busybox` is `busybox`). */
export function familiarRepo(repo: string): string {
  const match = /^(?:index\.)?docker\.io\/(?:library\/(?=[^/]+$))?(.+)$/.exec(repo)
  return match?.[1] ?? repo
}

/** The registry that a name leads to: empty for the engine's own. */
export function registryOf(repo: string): string {
  const slash = repo.indexOf('/')
  const first = slash < 0 ? '' : repo.slice(0, slash)
  return first === 'localhost' || /[.:A-Z]/.test(first) ? first : ''
}

const validTag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const validPath = /^[a-z0-9]+([._/-]+[a-z0-9]+)*$/

/**
 * The engine's name for `repository:tag` in a project's own `space` (`gantry-` and 32 hex digits). Throws `request.invalid` if no
 * engine would take it.
 */
export function engineRefIn(space: string, repository: string, tag: string): string {
  const path = repository.toLowerCase().replaceAll(':', '_')
  // Below it lie the steps of builds.
  const isReserved = /^gantry\.build(\/|$)/.test(path)
  if (path.length > 200 || !validPath.test(path) || isReserved) {
    throw new Fault('request.invalid', {
      problem: `The repository ${JSON.stringify(repository.slice(0, 300))} is not a valid image name.`,
    })
  }
  if (!validTag.test(tag)) {
    throw new Fault('request.invalid', { problem: `The tag ${JSON.stringify(tag.slice(0, 200))} is not valid.` })
  }
  return `${space}/${path}:${tag}`
}

/** What keeps an image that has lost its name: beside the space, where no name of the project's leads. */
export function namelessRefIn(space: string, digits: string): string {
  return `untagged/${space}/${digits}:latest`
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
