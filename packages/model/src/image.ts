import { Fault } from '@gantry/kernel'
import type { HostId, ImageId, ProjectId, UserId } from './ids.ts'

/** An image a host holds that we know of: one a project committed, or one that was pulled through us. */
export interface Image {
  readonly id: ImageId
  /** null: usable by everybody. */
  readonly projectId: ProjectId | null
  readonly hostId: HostId
  readonly hostName: string
  /** Both empty: it has lost its name. */
  readonly repo: string
  readonly tag: string
  /** The reference the engine knows it by. */
  readonly engineRef: string
  /** The engine's image id (`sha256:…`); null while it is being made. */
  readonly imageId: string | null
  /** Bytes. */
  readonly size: number | null
  readonly createdAt: number
  /** Who brought it here. */
  readonly userId?: UserId | null
  /** `sha256:…` of its manifest at the registry that it came from. */
  readonly digest?: string | null
  /** The engine did not have `engineRef`, a public name, before we pulled it: ours to take away. */
  readonly fetched?: boolean
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
