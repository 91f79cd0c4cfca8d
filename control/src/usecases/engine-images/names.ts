import { Fault } from '@gantry/kernel'
import { familiarRepo, parseImageName } from '@gantry/model'
import { isPrivateRef } from '../images-of-project.ts'

/** A name as a user wrote it, taken apart. `tag` may be a digest. */
export interface ImageName {
  readonly repo: string
  readonly tag: string
}

/** What is before the first slash may be a registry; names without one may hold `_` everywhere. */
const validRepo =
  /^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]+)?\/)?[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/
const validTag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const digest = /^sha256:[0-9a-f]{64}$/

/** `docker.io/library/busybox` is `busybox:latest`. */
export function nameOf(text: string): ImageName {
  const { repo, tag } = parseImageName(text)
  return { repo: familiarRepo(repo), tag }
}

/** A name that something is to be called. Throws `request.invalid` for what no engine would take, or is reserved. */
export function newName(repo: string, tag: string): ImageName {
  const plain = familiarRepo(repo)
  const isSpace = isPrivateRef(`${plain}/`) || /^gantry\.build(\/|$)/.test(plain)
  if (!validRepo.test(plain) || plain.length > 200 || isSpace || /[A-Z]/.test(plain.slice(plain.indexOf('/') + 1))) {
    throw new Fault('request.invalid', { problem: `invalid reference format: ${JSON.stringify(repo.slice(0, 200))}` })
  }
  if (!validTag.test(tag) && !digest.test(tag)) {
    throw new Fault('request.invalid', { problem: `invalid tag format: ${JSON.stringify(tag.slice(0, 200))}` })
  }
  return { repo: plain, tag }
}

export function isDigest(tag: string): boolean {
  return tag.includes(':')
}

/** As engines say it: with the tag that was meant. */
export function notFound(text: string): Fault {
  const isWhole = text.includes('@') || text.lastIndexOf(':') > text.lastIndexOf('/')
  const image = isWhole ? text : `${text}:latest`
  return new Fault('image.not-found', { image, reason: 'your project has no image of that name or id' })
}

/** A short id, as people see it. */
export function shortImageId(imageId: string): string {
  return imageId.replace(/^sha256:/, '').slice(0, 12)
}

/** Whether `repo` or `repo:tag` fits a pattern with `*`, `?`. */
export function fitsPattern(pattern: string, { repo, tag }: ImageName): boolean {
  const parts = pattern.split(/([*?])/)
  // A star does not cross a slash.
  const source = parts.map((part) => (part === '*' ? '[^/]*' : part === '?' ? '[^/]' : escaped(part))).join('')
  if ((pattern.match(/\*/g)?.length ?? 0) > 8) return false
  const whole = new RegExp(`^${source}$`)
  return whole.test(repo) || whole.test(`${repo}:${tag}`)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
