import { Fault } from '@gantry/kernel'
import { familiarRepo, parseImageName } from '@gantry/model'
import type { ImageName } from '../../catalogue.ts'
import { isPrivateRef } from '../images-of-project.ts'

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
  if (plain.length > 200 || !validRepo.test(plain) || isSpace || /[A-Z]/.test(plain.slice(plain.indexOf('/') + 1))) {
    throw new Fault('request.invalid', { problem: `invalid reference format: ${JSON.stringify(repo.slice(0, 200))}` })
  }
  // `sha256:…` is an image's id to every engine, whoever's it is.
  if (plain === 'sha256') {
    const problem = 'refusing to create an ambiguous tag using digest algorithm as name'
    throw new Fault('request.invalid', { problem })
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

/** Whether `repo` or `repo:tag` fits a pattern with `*` and `?`, neither of which crosses a slash. */
export function fitsPattern(pattern: string, { repo, tag }: ImageName): boolean {
  return fits(pattern, repo) || fits(pattern, `${repo}:${tag}`)
}

function fits(pattern: string, text: string): boolean {
  const [patterns, parts] = [pattern.split('/'), text.split('/')]
  return patterns.length === parts.length && patterns.every((each, at) => fitsPart(each, parts[at] ?? ''))
}

/** In time that grows with the product of both lengths, whoever wrote the pattern: only the last star is tried again. */
function fitsPart(pattern: string, text: string): boolean {
  let at = 0
  let read = 0
  let star: { readonly after: number; taken: number } | null = null
  while (read < text.length) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = { after: at + 1, taken: read }
      at += 1
    } else if (wanted === '?' || wanted === text[read]) {
      at += 1
      read += 1
    } else if (star) {
      star.taken += 1
      at = star.after
      read = star.taken
    } else return false
  }
  return /^\**$/.test(pattern.slice(at))
}
