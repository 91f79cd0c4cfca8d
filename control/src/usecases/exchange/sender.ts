import { backoffMs, limiter, reasonOf } from '@gantry/kernel'
import { formatImageName, type Image, type ImageId } from '@gantry/model'
import type { ExchangedImage } from '../../ports/exchanged-image-table.ts'
import { writeArchive } from '../archives/write-archive.ts'
import type { ExchangeParts } from './exchange-parts.ts'

/** Brings to the image service what its rows say is due, until it is there. */
export interface Sender extends AsyncDisposable {
  /** Something is due, once the transaction that is under way has ended. `replaced`: what may have lost its name. */
  wake(replaced?: readonly ImageId[]): void
  /** All that is due, whatever failed before. Call it at the start too. */
  look(): Promise<void>
  /** Nobody calls it by a name here any more: it goes there too. */
  tidy(id: ImageId): Promise<void>
}

/** Uploads at once: more only share the same line. */
const width = 2
/** Until another server has sent what it is at, or has died at it. Milliseconds. */
const elsewhereMs = 5000
const pause = { baseMs: 500, maxMs: 5 * 60_000, random: () => 0.5 }
/** As long as a large image may take on its way. Milliseconds. */
const sendMs = 2 * 60 * 60_000
/** Tries to send to an image that says another upload is under way: that of a dead server ends soon, that of a dead Glance never. */
const mostBusy = 8

export function createSender(parts: ExchangeParts): Sender {
  const { store, log, cluster } = parts
  const limited = limiter(width)
  const underWay = new Map<ImageId, Promise<void>>()
  const failures = new Map<ImageId, number>()
  const ending = new AbortController()
  const timers = new Set<NodeJS.Timeout>()

  function later(ms: number, work: () => Promise<unknown>): void {
    if (ending.signal.aborted) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      work().catch((error: unknown) => {
        if (!ending.signal.aborted) log.error({ reason: reasonOf(error) }, 'images that are due could not be read')
      })
    }, ms)
    timers.add(timer)
  }

  async function tried(id: ImageId): Promise<void> {
    const row = await store.exchangedImages.get(id)
    if (row?.state !== 'due' || ending.signal.aborted) return
    const failed = failures.get(id) ?? 0
    try {
      await send(parts, row, failed >= mostBusy, ending.signal)
      failures.delete(id)
    } catch (error) {
      if (ending.signal.aborted) return
      failures.set(id, failed + 1)
      log.warn({ image: id, failed: failed + 1, reason: reasonOf(error) }, 'image not sent to the image service yet')
      later(backoffMs(failed + 1, pause), async () => begin(id))
    }
  }

  function begin(id: ImageId): void {
    if (underWay.has(id)) return
    const alone = async () => {
      if (!cluster) return tried(id)
      // It may take hours there, and what is sent from here need not wait for that.
      if (!(await cluster.ifFree(`image ${id}`, () => tried(id)))) later(elsewhereMs, look)
    }
    const work = limited(alone)
      .catch((error: unknown) => log.error({ image: id, reason: reasonOf(error) }, 'image not sent'))
      .finally(() => underWay.delete(id))
    underWay.set(id, work)
  }

  async function look(): Promise<void> {
    // Transactions exclude each other, so this one begins after the one that wrote what is due.
    const due = await store.transaction(({ exchangedImages }) => exchangedImages.due())
    for (const { id } of due) begin(id)
  }

  return {
    look,
    wake(replaced = []) {
      later(0, look)
      if (replaced.length > 0) later(0, async () => Promise.all(replaced.map((id) => tidy(parts, id))))
    },
    tidy: (id) => tidy(parts, id),
    async [Symbol.asyncDispose]() {
      ending.abort()
      for (const timer of timers) clearTimeout(timer)
      await Promise.all(underWay.values())
    },
  }
}

/** `isLast`: it has been busy for long enough. */
async function send(parts: ExchangeParts, row: ExchangedImage, isLast: boolean, ending: AbortSignal): Promise<void> {
  const { store, exchange, catalogue, log, clock } = parts
  const { id } = row
  const image = await store.images.get(id)
  if (!image || isNameless(image)) return tidy(parts, id)
  const manifest = image.digest === null ? null : await catalogue.runnable(image.digest)
  if (!manifest) return store.exchangedImages.remove(id)
  const names = image.repo === '' ? [] : [formatImageName(image.repo, image.tag)]
  const written = () => writeArchive(catalogue, [{ manifest, names }])
  const signal = AbortSignal.any([ending, AbortSignal.timeout(sendMs)])
  const startedAt = clock.now()
  const content = { size: written().size, open: () => written().body }
  const outcome = await exchange.own.send(id, content, signal)
  switch (outcome) {
    case 'gone':
      log.info({ image: id }, 'image was deleted at the image service before it was there; its name goes here too')
      await catalogue.dropImages([image])
      await store.exchangedImages.remove(id)
      return
    case 'busy':
      return settleBusy(parts, image, row, isLast)
    case 'sent':
      log.info({ image: id, bytes: content.size, took: clock.now() - startedAt }, 'image sent to the image service')
      return done(parts, image, row)
  }
}

async function done({ store, exchange }: ExchangeParts, image: Image, row: ExchangedImage): Promise<void> {
  // Of what had the name before; who refused it then is asked again.
  for (const member of await store.images.members(image.id)) await exchange.own.share(image.id, member.projectId)
  await store.transaction(async ({ exchangedImages }) => {
    if (await exchangedImages.get(row.id)) await exchangedImages.put({ ...row, state: 'done' })
  })
}

/** Sent before, and nobody wrote it down; or an upload under way that ends with the connection it came by. */
async function settleBusy(parts: ExchangeParts, image: Image, row: ExchangedImage, isLast: boolean): Promise<void> {
  const found = await parts.exchange.own.get(image.id)
  if (found?.status === 'active') return done(parts, image, row)
  if (!isLast) throw new Error(`it is ${found?.status ?? 'gone'} there`)
  await replace(parts, image, row)
}

/** It takes no content any more: another one with the same name does. */
async function replace(parts: ExchangeParts, image: Image, row: ExchangedImage): Promise<void> {
  const { store, exchange, ids, log } = parts
  if (image.digest === null) return
  const id = ids.uuid() as ImageId
  const { projectId, visibility, digest } = image
  await exchange.own.announce({ id, projectId, name: row.name, visibility, digest })
  await store.transaction(async ({ images, exchangedImages }) => {
    const members = await images.members(image.id)
    await images.remove(image.id)
    await images.insert({ ...image, id })
    for (const member of members) await images.setMember({ ...member, imageId: id })
    await exchangedImages.remove(image.id)
    await exchangedImages.put({ ...row, id })
  })
  log.warn({ image: image.id, now: id }, 'image is stuck at the image service; another one takes its place')
  await exchange.own.remove(image.id)
}

/** It has lost its name to something else. What was brought there by others stays theirs. */
export async function tidy({ store, exchange, log }: ExchangeParts, id: ImageId): Promise<void> {
  const row = await store.exchangedImages.get(id)
  if (!row) return
  const image = await store.images.get(id)
  if (image && !(row.origin === 'made' && isNameless(image))) return
  if (row.origin === 'made') {
    await exchange.own.remove(id)
    log.info({ image: id }, 'image without a name removed from the image service')
  }
  await store.exchangedImages.remove(id)
}

function isNameless({ repo, name }: Image): boolean {
  return repo === '' && name === null
}
