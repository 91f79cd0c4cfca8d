import type { Caller, Digest, Image, ProjectId } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { Manifest } from '../../ports/image-tables.ts'

/** A tag and what it means. */
export interface Tagged {
  readonly tag: string
  readonly digest: Digest
}

/** What somebody may see of one repository. It is looked at anew each time. */
export interface Sight {
  /** null: as far as may be seen there is no such repository. */
  tags(): Promise<readonly Tagged[] | null>
  tagged(tag: string): Promise<Digest | null>
  hasManifest(digest: Digest): Promise<boolean>
  hasBlob(digest: Digest): Promise<boolean>
  referrers(subject: Digest): Promise<readonly Manifest[]>
}

/** Nothing at all. */
export const blindness: Sight = {
  tags: async () => null,
  tagged: async () => null,
  hasManifest: async () => false,
  hasBlob: async () => false,
  referrers: async () => [],
}

/** A repository of the project's own, all of it. Blobs are the project's: those of one repository are those of another. */
export function ownSight({ store }: Pick<Deps, 'store'>, projectId: ProjectId, repo: string): Sight {
  const { images, contents } = store
  const rows = async (tag?: string) => {
    if (repo === '') return []
    const found = await images.list(projectId, { owners: 'own', repo, ...(tag !== undefined && { tag }) })
    return found.flatMap(taggedBy)
  }
  return {
    async tags() {
      const tags = await rows()
      return tags.length > 0 || (await contents.holds(projectId, repo)).length > 0 ? tags : null
    },
    tagged: async (tag) => (await rows(tag))[0]?.digest ?? null,
    async hasManifest(digest) {
      if (await contents.holdOf(projectId, repo, digest)) return true
      // A child of an index, or one that was named here and pushed elsewhere.
      const [holds, tags, above] = await Promise.all([contents.holds(projectId, repo), rows(), contents.above(digest)])
      const here = new Set([...holds, ...tags].map((each) => each.digest))
      return above.some((each) => here.has(each))
    },
    hasBlob: (digest) => contents.hasBlob(projectId, digest),
    referrers: (subject) => contents.referrers(projectId, repo, subject),
  }
}

/** Signatures of referrers may have signatures themselves; further nobody looks. */
const longestChain = 3

/**
 * A repository of another project: those of its images that the caller may see, what they are made of, and what is said about
 * them (referrers, and tags such as cosign's). Everything else in it does not exist.
 */
export function borrowedSight(
  { store }: Pick<Deps, 'store'>,
  { projectId }: Caller,
  owner: ProjectId,
  repo: string,
): Sight {
  const { images, contents } = store

  async function lent(): Promise<readonly Tagged[]> {
    const rows = await images.list(projectId, { repo, memberStatus: 'all' })
    return rows.filter((row) => row.projectId === owner).flatMap(taggedBy)
  }

  /** Names in the repository, seen or not. */
  async function named(tag?: string): Promise<readonly Tagged[]> {
    return (await images.list(owner, { owners: 'own', repo, ...(tag !== undefined && { tag }) })).flatMap(taggedBy)
  }

  async function isPartOf(digest: Digest, seen: readonly Tagged[]): Promise<boolean> {
    const whole = new Set(seen.map((each) => each.digest))
    return whole.has(digest) || (await contents.above(digest)).some((each) => whole.has(each))
  }

  async function isAbout({ tag }: Pick<Tagged, 'tag'>, seen: readonly Tagged[]): Promise<boolean> {
    const subject = subjectOfTag(tag)
    return subject !== null && seen.length > 0 && isPartOf(subject, seen)
  }

  async function has(digest: Digest, seen: readonly Tagged[], chain: number): Promise<boolean> {
    if (seen.length === 0) return false
    const above = await contents.above(digest)
    const whole = new Set(seen.map((each) => each.digest))
    if (above.some((each) => whole.has(each))) return true
    if (chain === 0) return false
    for (const row of await named()) {
      if (above.includes(row.digest) && (await isAbout(row, seen))) return true
    }
    const held = new Set((await contents.holds(owner, repo)).map((hold) => hold.digest))
    for (const { subject } of await contents.manifests(above.filter((each) => held.has(each)))) {
      if (subject !== null && (await has(subject, seen, chain - 1))) return true
    }
    return false
  }

  async function sees(digest: Digest): Promise<boolean> {
    return has(digest, await lent(), longestChain)
  }

  return {
    async tags() {
      const seen = await lent()
      if (seen.length === 0) return null
      const said: Tagged[] = []
      for (const row of await named()) if (await isAbout(row, seen)) said.push(row)
      return [...seen, ...said]
    },
    async tagged(tag) {
      const seen = await lent()
      const known = seen.find((row) => row.tag === tag)
      if (known) return known.digest
      return (await isAbout({ tag }, seen)) ? ((await named(tag))[0]?.digest ?? null) : null
    },
    hasManifest: sees,
    hasBlob: sees,
    referrers: async (subject) => ((await sees(subject)) ? contents.referrers(owner, repo, subject) : []),
  }
}

/** The name of a row, if it is one of a manifest. */
function taggedBy({ status, kind, digest, tag }: Image): Tagged[] {
  return status === 'active' && kind !== 'data' && digest !== null && tag !== '' ? [{ tag, digest }] : []
}

/** What a tag like `sha256-….sig` is about: cosign's, and that of the distribution spec for old registries. */
export function subjectOfTag(tag: string): Digest | null {
  const [, hex] = /^sha256-([0-9a-f]{64})(\.(sig|att|sbom))?$/.exec(tag) ?? []
  return hex === undefined ? null : (`sha256:${hex}` as Digest)
}
