import Type, { type Static } from 'typebox'
import { reader } from './reader.ts'

const Version = Type.Object({
  id: Type.String(),
  status: Type.Optional(Type.String()),
  version: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  max_version: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  min_version: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  links: Type.Optional(Type.Array(Type.Object({ rel: Type.String(), href: Type.String() }))),
})
export type Version = Static<typeof Version>

const Document = Type.Object({
  version: Type.Optional(Version),
  versions: Type.Optional(Type.Union([Type.Array(Version), Type.Object({ values: Type.Array(Version) })])),
})
export const versionDocument = reader(Document)

/** The versions of a discovery document; Keystone wraps them once more. */
export function versionsOf({ version, versions }: Static<typeof Document>): Version[] {
  const list = Array.isArray(versions) ? versions : (versions?.values ?? [])
  return version ? [version, ...list] : list
}

/** `v2.15` → 2. */
export function majorOf(version: string): number {
  return Number(/^v?(\d+)/.exec(version)?.[1] ?? Number.NaN)
}

const segment = /\/(v\d+(?:\.\d+)?)(?=\/|$)/

/** A URL apart: what comes before a version in its path, the version (`v3`), and what comes behind (`/<project>`). */
export function splitVersion(url: URL): {
  readonly base: string
  readonly version: string | null
  readonly rest: string
} {
  const path = url.pathname.replace(/\/+$/, '')
  const match = segment.exec(path)
  if (!match) return { base: path, version: null, rest: '' }
  const end = match.index + match[0].length
  return { base: path.slice(0, match.index), version: match[1] ?? null, rest: path.slice(end) }
}

/**
 * The segment of the path under which a service offers its API of `major`: `v2.0`, `v2`. Only the last word of what the document
 * says is believed: the hosts in it are often those that the service sees, not those that lead to it.
 */
export function segmentFor(major: number, versions: readonly Version[], usual: string): string | null {
  const fitting = versions.filter(({ id, status }) => majorOf(id) === major && status !== 'DEPRECATED')
  const deprecated = versions.filter(({ id }) => majorOf(id) === major)
  const [best] = fitting.length > 0 ? fitting : deprecated
  if (!best) return null
  const href = best.links?.find(({ rel }) => rel === 'self')?.href ?? ''
  const last = href.replace(/\/+$/, '').split('/').at(-1) ?? ''
  return /^v\d+(\.\d+)?$/.test(last) ? last : usual
}

export interface MicroversionRange {
  readonly least: string
  readonly most: string
}

/** The range that the service offers, if it has one. */
export function rangeOf(versions: readonly Version[], major: number): MicroversionRange | null {
  for (const { id, version, max_version, min_version } of versions) {
    const most = max_version || version
    if (majorOf(id) === major && most && min_version) return { least: min_version, most }
  }
  return null
}

/** The newest that both sides know, or null. */
export function commonMicroversion(ours: MicroversionRange, theirs: MicroversionRange): string | null {
  const most = compare(ours.most, theirs.most) < 0 ? ours.most : theirs.most
  const least = compare(ours.least, theirs.least) > 0 ? ours.least : theirs.least
  return compare(least, most) <= 0 ? most : null
}

function compare(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}
