import type { Caller, HostId } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { EngineImages, ImageFilters, ImageListing } from '../../engine-image-verbs.ts'
import { isPrivateRef } from '../images-of-project.ts'
import { catalogueOf, findImage, type KnownImage } from './catalogue.ts'
import { soon } from './image-rows.ts'
import { fitsPattern, nameOf } from './names.ts'

type Json = Readonly<Record<string, unknown>>

export function lookVerbs(deps: Deps): Pick<EngineImages, 'list' | 'inspect' | 'history' | 'resolve'> {
  const find = async (caller: Caller, name: string) => findImage(await catalogueOf(deps.store, caller), name)
  return {
    list: async (caller, { filters = {} } = {}) => filtered(deps, caller, filters),
    async inspect(caller, name) {
      const { image } = await find(caller, name)
      const { reply } = await deps.links.calls(image.hostId).imageInspect({ engineRef: image.imageId }, soon())
      return { ...viewOf(image), found: reply.found }
    },
    async history(caller, name) {
      const catalogue = await catalogueOf(deps.store, caller)
      const { image } = findImage(catalogue, name)
      const { reply } = await deps.links.calls(image.hostId).imageHistory({ engineRef: image.imageId }, soon())
      const own = new Map(catalogue.map((each) => [each.imageId, each.names]))
      // An engine knows the layers of others too, by their names.
      return reply.layers.map((layer) => {
        const names = own.get(String(layer['Id']))
        return { ...layer, Id: names ? layer['Id'] : '<missing>', Tags: names && names.length > 0 ? names : null }
      })
    },
    async resolve(caller, name) {
      const { image, row } = await find(caller, name)
      const named = row ?? image.own.find(({ repo }) => repo !== '') ?? image.shared[0]
      // One that has no name is known by its row.
      if (!named || named.repo === '') return { image: image.own[0]?.id ?? name, imageId: image.imageId }
      const { repo, tag } = named
      return { image: tag.includes(':') ? `${repo}@${tag}` : `${repo}:${tag}`, imageId: image.imageId }
    },
  }
}

export function viewOf({ imageId, names, digests, size, createdAt }: KnownImage) {
  return { imageId, names, digests, size, createdAt }
}

/** The newest first, with what their engines say of them. */
export async function filtered(
  deps: Deps,
  caller: Caller,
  filters: ImageFilters,
): Promise<(ImageListing & KnownImage)[]> {
  const catalogue = await catalogueOf(deps.store, caller)
  const found = await summariesOf(deps, catalogue)
  const listed = catalogue.map((image) => ({ ...image, found: found.get(image.imageId) ?? null }))
  const madeAt = (image: ImageListing) => Number(image.found?.['Created'] ?? image.createdAt / 1000)
  const edge = (names: readonly string[] | undefined, pick: (...times: number[]) => number) => {
    if (!names) return null
    const ids = names.map((name) => findImage(catalogue, name).image.imageId)
    return pick(...listed.filter(({ imageId }) => ids.includes(imageId)).map(madeAt))
  }
  const [before, since] = [edge(filters.before, Math.max), edge(filters.since, Math.min)]
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

/** By id; those of hosts that do not answer are left out. */
async function summariesOf(deps: Deps, images: readonly KnownImage[]): Promise<Map<string, Json>> {
  const byHost = new Map<HostId, string[]>()
  for (const { hostId, imageId } of images) byHost.set(hostId, [...(byHost.get(hostId) ?? []), imageId])
  const asked = [...byHost].map(async ([hostId, imageIds]) => {
    const { reply } = await deps.links.calls(hostId).imageSummaries({ imageIds }, soon())
    return reply.images
  })
  const answers = await Promise.allSettled(asked)
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  return new Map(found.map((summary) => [String(summary['Id']), summary]))
}

/** What an engine calls a project's own image is nobody's business. */
export function isOurName(text: unknown): boolean {
  return typeof text === 'string' && isPrivateRef(text)
}
