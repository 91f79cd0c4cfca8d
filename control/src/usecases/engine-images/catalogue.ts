import { Fault } from '@gantry/kernel'
import type { Caller, HostId, Image } from '@gantry/model'
import type { ProjectImage } from '../../engine-image-verbs.ts'
import type { Tables } from '../../ports/store.ts'
import { isDigest, nameOf, notFound } from './names.ts'

/** An image with the rows that make it the project's, or public. */
export interface KnownImage extends ProjectImage {
  readonly hostId: HostId
  /** The project's own. */
  readonly own: readonly Image[]
  readonly shared: readonly Image[]
}

export interface FoundImage {
  readonly image: KnownImage
  /** The row of the name by which it was found; null: by its id. */
  readonly row: Image | null
}

/** Everything that the project has, by engine's id; what is not complete is left out. */
export async function catalogueOf(tables: Tables, { projectId }: Caller): Promise<KnownImage[]> {
  const rows = (await tables.images.list(projectId)).filter(({ imageId }) => imageId !== null)
  const meant = namesMeant(rows)
  const byId = new Map<string, Image[]>()
  for (const row of rows) {
    // A public image whose name the project gave to another of its own.
    const isHidden = row.repo !== '' && meant.get(keyOf(row))?.imageId !== row.imageId
    if (!isHidden && row.imageId !== null) byId.set(row.imageId, [...(byId.get(row.imageId) ?? []), row])
  }
  return [...byId].map(([imageId, [first, ...others]]) => known(imageId, first ? [first, ...others] : []))
}

/** What a name means: the project's own before a public one, then the newest. */
function namesMeant(rows: readonly Image[]): Map<string, Image> {
  const meant = new Map<string, Image>()
  const rank = ({ projectId }: Image) => (projectId === null ? 0 : 1)
  for (const row of rows) {
    const rival = meant.get(keyOf(row))
    const wins = !rival || rank(row) > rank(rival) || (rank(row) === rank(rival) && row.createdAt >= rival.createdAt)
    if (wins) meant.set(keyOf(row), row)
  }
  return meant
}

function keyOf({ repo, tag }: Pick<Image, 'repo' | 'tag'>): string {
  return `${repo}:${tag}`
}

function known(imageId: string, rows: readonly Image[]): KnownImage {
  const [first] = rows
  if (!first) throw new Error('an image without rows')
  const named = rows.filter(({ repo }) => repo !== '')
  const digests = named.flatMap(({ repo, tag, digest }) => {
    const known = isDigest(tag) ? tag : digest
    return known ? [`${repo}@${known}`] : []
  })
  return {
    imageId,
    hostId: first.hostId,
    names: [...new Set(named.filter(({ tag }) => !isDigest(tag)).map(keyOf))],
    digests: [...new Set(digests)],
    size: first.size ?? 0,
    createdAt: Math.min(...rows.map(({ createdAt }) => createdAt)),
    own: rows.filter(({ projectId }) => projectId !== null),
    shared: rows.filter(({ projectId }) => projectId === null),
  }
}

/** By name, by digest, then by the beginning of an id. Throws `image.not-found` or `image.ambiguous`. Pure. */
export function findImage(catalogue: readonly KnownImage[], text: string): FoundImage {
  const { repo, tag } = nameOf(text)
  for (const image of catalogue) {
    // The project's own first.
    const row = [...image.own, ...image.shared].find(
      (each) => each.repo === repo && (each.tag === tag || (isDigest(tag) && each.digest === tag)),
    )
    if (row && repo !== '') return { image, row }
  }
  const digits = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1]
  const begun = digits === undefined ? [] : catalogue.filter(({ imageId }) => imageId.startsWith(`sha256:${digits}`))
  const [first, second] = begun
  if (second) throw new Fault('image.ambiguous', { ref: text })
  if (!first) throw notFound(text)
  return { image: first, row: null }
}
