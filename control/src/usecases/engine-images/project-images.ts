import { Fault } from '@gantry/kernel'
import type { Caller, Digest, Image } from '@gantry/model'
import { pulledFrom } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { ProjectImage } from '../../engine-image-verbs.ts'
import { isCatalogueId } from '../images/catalogue-name.ts'
import { isDigest, nameOf, notFound } from './names.ts'

/** An image with the entries of the catalogue that make it the project's, or let it see it. */
export interface KnownImage extends ProjectImage {
  /** Of its manifest, or of an index that it is the image of. */
  readonly digest: Digest
  /** The project's own. */
  readonly own: readonly Image[]
  /** Of other projects; `repo` as this one sees it, so only for reading. */
  readonly shared: readonly Image[]
}

export interface FoundImage {
  readonly image: KnownImage
  /** The entry of the name by which it was found; null: by its id. */
  readonly row: Image | null
}

/** An entry that engines would know: complete, and an image. */
export type RunnableRow = Image & { readonly imageId: string; readonly digest: Digest }

/** Everything that the project sees and could run, by the engine's id. */
export async function imagesOf(
  { store, namespaces }: Pick<Deps, 'store' | 'namespaces'>,
  { projectId }: Caller,
): Promise<KnownImage[]> {
  const rows = (await store.images.list(projectId)).filter(isRunnable)
  const seen = await Promise.all(
    rows.map(async (row): Promise<RunnableRow> => {
      const isPlain = row.projectId === projectId || row.visibility === 'public' || row.repo === ''
      return isPlain ? row : { ...row, repo: `${await namespaces.namespaceOf(row.projectId)}/${row.repo}` }
    }),
  )
  const meant = namesMeant(seen, projectId)
  // A public image whose name the project gave to another of its own is not seen by that name.
  const shown = seen.filter((row) => row.repo === '' || meant.get(keyOf(row))?.imageId === row.imageId)
  return [...Map.groupBy(shown, ({ imageId }) => imageId).values()].flatMap(([first, ...others]) =>
    first ? [known([first, ...others], projectId)] : [],
  )
}

export function isRunnable(row: Image): row is RunnableRow {
  const isImage = row.kind === 'image' || row.kind === 'index'
  return isImage && row.status === 'active' && row.imageId !== null && row.digest !== null
}

/** What a name means: the project's own before others', then the newest. */
function namesMeant(rows: readonly RunnableRow[], projectId: Image['projectId']): Map<string, Image> {
  const meant = new Map<string, Image>()
  const rank = (row: Image) => (row.projectId === projectId ? 1 : 0)
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

export function known(
  rows: readonly [RunnableRow, ...(readonly RunnableRow[])],
  projectId: Image['projectId'],
): KnownImage {
  const own = rows.filter((row) => row.projectId === projectId)
  const shared = rows.filter((row) => row.projectId !== projectId)
  const [{ imageId, digest }] = [own[0] ?? rows[0]]
  const named = rows.filter(({ repo }) => repo !== '')
  return {
    imageId,
    digest,
    names: [...new Set(named.filter(({ tag }) => !isDigest(tag)).map(keyOf))],
    digests: [...new Set(named.flatMap(digestNames))],
    size: rows.find(({ size }) => size !== null)?.size ?? rows[0].bytes ?? 0,
    createdAt: Math.min(...rows.map(({ createdAt }) => createdAt)),
    own,
    shared,
  }
}

/** As engines, which know a digest of what came from a registry. */
export function digestNames({ repo, tag, digest, glance }: Image): string[] {
  if (isDigest(tag)) return [`${repo}@${tag}`]
  return digest !== null && glance.properties[pulledFrom] !== undefined ? [`${repo}@${digest}`] : []
}

/**
 * By a name as lists show it, by any other that the catalogue knows (`namespace/repo`, `<our domain>/namespace/repo`), then by the
 * beginning of an id. Throws `image.not-found` or `image.ambiguous`.
 */
export async function findImage(deps: Deps, caller: Caller, text: string): Promise<FoundImage> {
  const images = await imagesOf(deps, caller)
  const listed = byName(images, text)
  if (listed?.row && (await deps.catalogue.elsewhere.current(caller, listed.row))) return listed
  const { repo, tag } = nameOf(text)
  // What engines take for an id is none of the catalogue's names.
  const isName = repo !== '' && repo !== 'sha256'
  const byGlance = isCatalogueId(text) ? await deps.catalogue.elsewhere.byId(caller, text) : null
  const row = byGlance ?? (isName ? await deps.catalogue.find(caller, { repo, tag }) : null)
  if (row && isRunnable(row)) {
    const image = images.find(({ own, shared }) => [...own, ...shared].some(({ id }) => id === row.id))
    return { image: image ?? known([row], caller.projectId), row }
  }
  return { image: byId(images, text), row: null }
}

/** The same, but null for what is not there. */
export async function findImageIfAny(deps: Deps, caller: Caller, text: string): Promise<FoundImage | null> {
  try {
    return await findImage(deps, caller, text)
  } catch (error) {
    if (error instanceof Fault && error.code === 'image.not-found') return null
    throw error
  }
}

function byName(images: readonly KnownImage[], text: string): FoundImage | null {
  const { repo, tag } = nameOf(text)
  if (repo === '') return null
  for (const image of images) {
    // The project's own first.
    const row = [...image.own, ...image.shared].find(
      (each) => each.repo === repo && (each.tag === tag || (isDigest(tag) && each.digest === tag)),
    )
    if (row) return { image, row }
  }
  return null
}

function byId(images: readonly KnownImage[], text: string): KnownImage {
  const digits = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1]
  const begun = digits === undefined ? [] : images.filter(({ imageId }) => imageId.startsWith(`sha256:${digits}`))
  const [first, second] = begun
  if (second) throw new Fault('image.ambiguous', { ref: text })
  if (!first) throw notFound(text)
  return first
}
