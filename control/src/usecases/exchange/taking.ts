import { Fault } from '@gantry/kernel'
import { type Caller, dockerImage, formatImageName, type Image, type ProjectId } from '@gantry/model'
import type { ImageName } from '../../catalogue.ts'
import type { ForeignImage } from '../../ports/image-exchange.ts'
import type { Tables } from '../../ports/store.ts'
import { requireRoomForImage } from '../../quotas/enforce.ts'
import { createFlights } from '../catalogue/flights.ts'
import { isBlob } from '../catalogue/manifest-kinds.ts'
import { catalogueName } from '../images/catalogue-name.ts'
import { takeApart } from '../images/uploaded-images.ts'
import type { ExchangeParts } from './exchange-parts.ts'

/** As long as a large image may take on its way. Milliseconds. */
const takeMs = 60 * 60_000

/** Brings content of the image service here. */
export interface Taking {
  /**
   * The entry of that image, with its content; several that ask at once wait for one download. Throws `request.invalid` for what no
   * container can run, `image.not-found` for what has no content yet.
   */
  take(caller: Caller, found: ForeignImage): Promise<Image>
  /** Fetches blobs of the entry again that the store has lost. */
  heal(caller: Caller, image: Image): Promise<void>
}

export function taking(parts: ExchangeParts): Taking {
  const { store, exchange, clock, log } = parts
  const flights = createFlights()

  function once(key: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const waiter = { tell: () => undefined, signal: AbortSignal.timeout(takeMs) }
    return flights.join(key, (_tell, signal) => work(signal), waiter)
  }

  async function bring(caller: Caller, found: ForeignImage, signal: AbortSignal): Promise<void> {
    const owner = asOwnerOf(caller, found.projectId)
    const startedAt = clock.now()
    const body = await exchange.open(caller, found.id, signal)
    const [first] = await takeApart(parts, owner, body, signal)
    if (!first) throw new Fault('request.invalid', { problem: `Image ${found.name || found.id} has nothing in it.` })
    await store.transaction((tables) => enter(parts, tables, owner, found, first.digest))
    log.info({ image: found.id, took: clock.now() - startedAt }, 'image taken from the image service')
  }

  return {
    async take(caller, found) {
      checkRunnable(found)
      const known = await store.images.get(found.id)
      const row = await store.exchangedImages.get(found.id)
      const isKnown = known && known.digest !== null && (row?.hash ?? found.hash) === found.hash
      if (!isKnown) await once(found.id, (signal) => bring(caller, found, signal))
      const image = await store.images.get(found.id)
      if (image?.digest) return image
      throw new Fault('image.not-found', { image: found.name || found.id, reason: 'it was just deleted' })
    },
    async heal(caller, image) {
      if (await isWhole(parts, image)) return
      log.warn({ image: image.id }, 'content of an image is lost here; fetching it from the image service again')
      const owner = asOwnerOf(caller, image.projectId)
      await once(`heal ${image.id}`, async (signal) => {
        await takeApart(parts, owner, await exchange.open(caller, image.id, signal), signal)
      })
    },
  }
}

/** Names and holds what came, under the id that it has there. */
async function enter(
  parts: ExchangeParts,
  tables: Tables,
  owner: Caller,
  found: ForeignImage,
  digest: NonNullable<Image['digest']>,
): Promise<void> {
  const now = parts.clock.now()
  const known = await tables.images.get(found.id)
  if (known) await tables.images.update(known.id, { digest: null, repo: '', tag: '' })
  else {
    await requireRoomForImage(tables, owner.projectId)
    await tables.images.insert(emptyEntry(owner, found, now))
  }
  await parts.catalogue.nameImageIn(tables, owner, await freeName(parts, tables, found), digest, {
    row: found.id,
    displayName: found.name,
    visibility: localVisibility(found),
  })
  const { id, projectId, name, hash } = found
  const row = { id, projectId, origin: 'taken', state: 'done', name, hash, createdAt: now } as const
  await tables.exchangedImages.put(row)
}

/** What it is called here; null: another image of its project is called so, and it is found by its id or its own name. */
export async function freeName(
  { registryDomains }: Pick<ExchangeParts, 'registryDomains'>,
  tables: Tables,
  { id, projectId, name }: ForeignImage,
): Promise<ImageName | null> {
  if (name === '') return null
  const as = catalogueName({ registryDomains }, name)
  const taken = await tables.images.list(projectId, { owners: 'own', ...as })
  return taken.some((row) => row.id !== id) ? null : as
}

function emptyEntry({ userId }: Caller, found: ForeignImage, now: number): Image {
  const { id, projectId, name, containerFormat, diskFormat } = found
  return {
    id,
    projectId,
    userId,
    name,
    repo: '',
    tag: '',
    kind: 'image',
    status: 'saving',
    visibility: localVisibility(found),
    digest: null,
    imageId: null,
    size: null,
    bytes: null,
    pending: null,
    glance: { ...dockerImage, containerFormat, diskFormat },
    createdAt: now,
    updatedAt: now,
  }
}

/** Who may use a community image is for the other service to say, each time. */
export function localVisibility({ visibility }: Pick<ForeignImage, 'visibility'>): Image['visibility'] {
  return visibility === 'community' ? 'shared' : visibility
}

/** What is brought for the owner is held and counted by its project. */
export function asOwnerOf(caller: Caller, projectId: ProjectId): Caller {
  return projectId === caller.projectId ? caller : { ...caller, projectId }
}

async function isWhole({ store, blobs }: ExchangeParts, { digest, kind }: Image): Promise<boolean> {
  if (digest === null || kind === 'data') return true
  const manifests = await store.contents.closure(digest)
  const digests = new Set(manifests.flatMap(({ parts }) => parts.filter(isBlob).map((part) => part.digest)))
  for (const each of digests) if (!(await blobs.stat(each))) return false
  return true
}

function checkRunnable({ id, name, status, containerFormat, diskFormat }: ForeignImage): void {
  const image = name || id
  if (containerFormat !== 'docker') {
    const is = `container format ${containerFormat ?? 'none'}, disk format ${diskFormat ?? 'none'}`
    throw new Fault('request.invalid', {
      problem: `Image ${image} cannot be run: it is of ${is}; containers run images of container format docker.`,
    })
  }
  if (status !== 'active') {
    const reason = status === 'deactivated' ? 'it is deactivated' : `it has no content yet (${status})`
    throw new Fault('image.not-found', { image, reason })
  }
}

/** The names that an image may have there which is called so here: Glance's users leave out `:latest`. */
export function namesThere({ repo, tag }: ImageName): string[] {
  const full = formatImageName(repo, tag)
  return tag === 'latest' ? [full, repo] : [full]
}
