import type { Digest, Image, ProjectId } from '@gantry/model'
import type { ImageQuery, ManifestHold } from '../../ports/image-tables.ts'
import type { Tables } from '../../ports/store.ts'

/** In which of a project's repositories; `every`: in all. */
export type Repos = 'every' | readonly string[]

/**
 * Takes a project's holds on these manifests away, in repositories where no name needs them, and with them what was only said about
 * them there (signatures). Answers the holds that went.
 */
export async function releaseUnneeded(
  tables: Tables,
  projectId: ProjectId,
  digests: Iterable<Digest>,
  repos: Repos,
): Promise<ManifestHold[]> {
  const { contents } = tables
  const released: ManifestHold[] = []
  const waiting = [...new Set(digests)]
  const holds = (await contents.holds(projectId)).filter(({ repo }) => repos === 'every' || repos.includes(repo))
  const byDigest = Map.groupBy(holds, ({ digest }) => digest)
  for (let digest = waiting.shift(); digest !== undefined; digest = waiting.shift()) {
    const held = byDigest.get(digest) ?? []
    byDigest.delete(digest)
    for (const hold of held) {
      if (await isNeeded(tables, hold)) continue
      await contents.release(projectId, hold.repo, digest)
      released.push(hold)
      const said = await contents.referrers(projectId, hold.repo, digest)
      waiting.push(...said.map((each) => each.digest))
    }
  }
  return released
}

/** An entry in the same repository means it, or an index with it. */
export async function isNeeded(tables: Tables, { projectId, repo, digest }: ManifestHold): Promise<boolean> {
  return isMeant(tables, projectId, digest, { repo })
}

/** An entry of the project's means it, or an index with it. */
export async function isMeant(
  { contents, images }: Tables,
  projectId: ProjectId,
  digest: Digest,
  query: Pick<ImageQuery, 'repo'> = {},
): Promise<boolean> {
  for (const each of await contents.above(digest)) {
    const rows = await images.list(projectId, { owners: 'own', ...query, digest: each })
    if (rows.length > 0) return true
  }
  return false
}

/** Another entry of the project gives this content a name. */
export function hasOtherName(row: Image, rows: readonly Image[]): boolean {
  return rows.some((each) => each.id !== row.id && each.digest === row.digest && each.repo !== '')
}
