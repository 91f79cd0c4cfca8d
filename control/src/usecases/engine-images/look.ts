import { Fault } from '@gantry/kernel'
import { type Caller, type Digest, formatImageName } from '@gantry/model'
import { layersOf } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { EngineImages, ImageFilters, ImageListing } from '../../engine-image-verbs.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import { configOf, diffIdsOf, historyOf, inspectOf, summaryOf } from './describe.ts'
import { fitsPattern, nameOf } from './names.ts'
import { isCatalogueId } from '../images/catalogue-name.ts'
import { findImage, imagesOf, type KnownImage } from './project-images.ts'

type Json = Readonly<Record<string, unknown>>

/** What is known of images, from the catalogue alone: no host is asked. */
export function lookVerbs(deps: Deps): Pick<EngineImages, 'list' | 'inspect' | 'history' | 'resolve'> {
  return {
    list: async (caller, { filters = {} } = {}) => filtered(deps, caller, filters),
    async inspect(caller, name) {
      const { image } = await findImage(deps, caller, name)
      return { ...viewOf(image), found: inspectOf(image, await manifestOf(deps, image)) }
    },
    async history(caller, name) {
      const { image } = await findImage(deps, caller, name)
      const manifest = await manifestOf(deps, image)
      const sizes = await deps.store.contents.layerSizes(diffIdsOf(configOf(manifest)) as Digest[])
      return historyOf(image, manifest, sizes ?? layersOf(manifest).map(({ size }) => size))
    },
    async resolve(caller, name) {
      const { image, row } = await findImage(deps, caller, name)
      const { imageId } = image
      if (row && isCatalogueId(name)) return { image: row.id, imageId }
      if (row) {
        const { repo, tag } = nameOf(name)
        return { image: formatImageName(repo, tag), imageId }
      }
      const rows = [...image.own, ...image.shared]
      const named = rows.find(({ repo }) => repo !== '')
      if (named) return { image: formatImageName(named.repo, named.tag), imageId }
      // One that has no name is known by its entry.
      return { image: rows[0]?.id ?? name, imageId }
    },
  }
}

export function viewOf({ imageId, names, digests, size, createdAt }: KnownImage) {
  return { imageId, names, digests, size, createdAt }
}

/** The image itself, of an index too. Throws `manifest.unknown` for one that was taken away in this moment. */
export async function manifestOf({ catalogue }: Pick<Deps, 'catalogue'>, { digest }: KnownImage): Promise<Manifest> {
  const manifest = await catalogue.runnable(digest)
  if (manifest) return manifest
  throw new Fault('manifest.unknown', { reference: digest, repository: 'the catalogue' })
}

/** The newest first, as engines would list them. */
export async function filtered(
  deps: Deps,
  caller: Caller,
  filters: ImageFilters,
): Promise<(ImageListing & KnownImage)[]> {
  const images = await imagesOf(deps, caller)
  const found = await summariesOf(deps, images)
  const listed = images.map((image) => ({ ...image, found: found.get(image.digest) ?? null }))
  const madeAt = (image: ImageListing) => Number(image.found?.['Created'] ?? image.createdAt / 1000)
  const edge = async (names: readonly string[] | undefined, pick: (...times: number[]) => number) => {
    if (!names) return null
    const wanted = await Promise.all(names.map(async (name) => (await findImage(deps, caller, name)).image.imageId))
    return pick(...listed.filter(({ imageId }) => wanted.includes(imageId)).map(madeAt))
  }
  const [before, since] = [await edge(filters.before, Math.max), await edge(filters.since, Math.min)]
  return listed
    .filter(
      (image) =>
        fitsNames(image, filters) &&
        (filters.labels?.(labelsOf(image.found)) ?? true) &&
        (before === null || madeAt(image) < before) &&
        (since === null || madeAt(image) > since) &&
        (filters.until === undefined || madeAt(image) * 1000 < filters.until),
    )
    .map((image) => namesFitting(image, filters))
    .toSorted((a, b) => madeAt(b) - madeAt(a))
}

function fitsNames({ names, digests }: KnownImage, { reference, dangling }: ImageFilters): boolean {
  const isDangling = names.length === 0 && digests.length === 0
  if (dangling !== undefined && dangling !== isDangling) return false
  return (
    !reference || [...names, ...digests].some((name) => reference.some((pattern) => fitsPattern(pattern, nameOf(name))))
  )
}

/** Of an image with several names only those that were asked for. */
function namesFitting<T extends KnownImage>(image: T, { reference }: ImageFilters): T {
  if (!reference) return image
  const fits = (name: string) => reference.some((pattern) => fitsPattern(pattern, nameOf(name)))
  return { ...image, names: image.names.filter(fits), digests: image.digests.filter(fits) }
}

function labelsOf(found: Json | null): Readonly<Record<string, string>> {
  const labels = found?.['Labels']
  return typeof labels === 'object' && labels !== null ? (labels as Record<string, string>) : {}
}

/** By the digest that the project knows an image by. */
async function summariesOf({ store, catalogue }: Deps, images: readonly KnownImage[]): Promise<Map<Digest, Json>> {
  const direct = await store.contents.manifests(images.map(({ digest }) => digest))
  const manifests = new Map(direct.map((manifest) => [manifest.digest, manifest]))
  const summaries = new Map<Digest, Json>()
  for (const image of images) {
    const own = manifests.get(image.digest)
    const manifest = own?.configDigest ? own : await catalogue.runnable(image.digest)
    if (manifest) summaries.set(image.digest, summaryOf(image, manifest))
  }
  return summaries
}
