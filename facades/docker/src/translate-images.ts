import type { ImageFilters, ImageListing, ProjectImage, RemovedImage } from '@gantry/control'
import type { Caller } from '@gantry/model'
import type { DockerContext } from './context.ts'
import { everyContainer } from './every-container.ts'
import { type Filters, isTrue, matchesLabels } from './filters.ts'
import { momentOf } from './moments.ts'

type Json = Readonly<Record<string, unknown>>

export interface ImageSummary extends Json {
  readonly Id: string
  /** Bytes. */
  readonly Size: number
}

export const imageFilterKeys = ['reference', 'dangling', 'label', 'label!', 'before', 'since', 'until'] as const

/** The whole of what `docker system df` shows. */
export async function imageSummaries(docker: DockerContext, caller: Caller, minor: number): Promise<ImageSummary[]> {
  const [images, containers] = await Promise.all([
    docker.control.engineImages.list(caller),
    everyContainer(docker.control, caller),
  ])
  const uses = (id: string) => containers.filter(({ observed }) => observed.engine?.imageDigest === id).length
  return images.map((image) => ({ ...summaryOfImage(image, minor), Containers: uses(image.imageId), SharedSize: 0 }))
}

export function summaryOfImage(image: ImageListing, minor: number): ImageSummary {
  const { imageId, createdAt, found } = image
  const size = Number(found?.['Size'] ?? image.size)
  return {
    Id: imageId,
    ParentId: '',
    ...namesOf(image, minor),
    Created: Number(found?.['Created'] ?? Math.floor(createdAt / 1000)),
    Size: size,
    SharedSize: -1,
    ...(minor < 44 && { VirtualSize: size }),
    Labels: ownLabels(found?.['Labels']),
    Containers: -1,
  }
}

/** Before 1.43 an image without a name was said to have one. */
function namesOf({ names, digests }: ProjectImage, minor: number): Json {
  if (minor >= 43 || names.length > 0 || digests.length > 0) return { RepoTags: names, RepoDigests: digests }
  return { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] }
}

const told = [
  'Architecture',
  'Author',
  'Comment',
  'Created',
  'DockerVersion',
  'Id',
  'Os',
  'OsVersion',
  'RootFS',
  'Variant',
]

/** `GET /images/{name}/json`: what the engine says of the image itself, and nothing of who else has it, or where. */
export function inspectOfImage({ found, ...image }: ProjectImage & { readonly found: Json }, minor: number): Json {
  const size = Number(found['Size'] ?? image.size)
  const config = recordOf(found['Config'])
  const labels = ownLabels(config['Labels'])
  return {
    ...Object.fromEntries(told.flatMap((key) => (key in found ? [[key, found[key]]] : []))),
    RepoTags: image.names,
    RepoDigests: image.digests,
    Parent: '',
    Container: '',
    ContainerConfig: {},
    Config: { ...config, Image: '', Labels: labels },
    Size: size,
    ...(minor < 44 && { VirtualSize: size }),
    GraphDriver: { Name: 'overlay2', Data: null },
    Metadata: { LastTagTime: new Date(image.createdAt).toISOString() },
  }
}

/** Those that the service puts on what it runs are no part of an image. */
function ownLabels(labels: unknown): Json | null {
  if (typeof labels !== 'object' || labels === null) return null
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('gantry.')))
}

function recordOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

export function removedOf(removed: readonly RemovedImage[]): Json[] {
  return removed.map((each) => ('untagged' in each ? { Untagged: each.untagged } : { Deleted: each.deleted }))
}

export function imageFiltersOf(filters: Filters, nowMs: number): ImageFilters {
  const [dangling] = filters.get('dangling') ?? []
  const [until] = filters.get('until') ?? []
  const moment = until === undefined ? null : momentOf(until, nowMs)
  const reference = filters.get('reference')
  const before = filters.get('before')
  const since = filters.get('since')
  return {
    ...(reference && { reference }),
    ...(dangling !== undefined && { dangling: isTrue(dangling) }),
    ...((filters.has('label') || filters.has('label!')) && {
      labels: (labels: Readonly<Record<string, string>>) => matchesLabels(filters, labels),
    }),
    ...(before && { before }),
    ...(since && { since }),
    ...(moment !== null && { until: moment * 1000 }),
  }
}
