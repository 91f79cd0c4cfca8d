import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { type Caller, formatImageName, type Image, type ImageId } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { ImageVerbs } from '../../image-verbs.ts'
import type { Tables } from '../../ports/store.ts'
import { writeArchive } from '../archives/write-archive.ts'
import type { OpenStreams } from '../open-streams.ts'
import { asOwner, ownImage, seenImage, shownName, unseen } from './image-sight.ts'
import { keepImages, takeApart } from './uploaded-images.ts'

/** What is in images, as users of Glance bring and fetch it. */
export function contentVerbs(deps: Deps, streams: OpenStreams): Pick<ImageVerbs, 'upload' | 'download'> {
  const { store, catalogue } = deps

  async function receive(caller: Caller, image: Image, body: Readable, signal: AbortSignal): Promise<Image> {
    const { id } = image
    if (image.glance.containerFormat !== 'docker') return keepData(deps, caller, id, body, signal)
    const read = await takeApart(deps, caller, body, signal)
    return keepImages(deps, caller, id, read)
  }

  return {
    async upload(caller, id, body, signal) {
      const image = await store.transaction(async (tables) => {
        await tables.duties.begin('image', id, deps.cluster.self)
        return claim(tables, caller, id)
      })
      const owner = asOwner(caller, image)
      try {
        return await streams.opening(
          owner.projectId,
          () => receive(owner, image, body, signal),
          () => null,
        )
      } catch (error) {
        await store.transaction(({ images }) => letGo(images, id))
        throw error
      } finally {
        await store.duties.end('image', id)
      }
    },
    async download(caller, id, signal) {
      const image = await seenImage(store, caller, id)
      const { digest, kind, projectId } = image
      if (digest === null) throw noContent(image)
      const open = async () => {
        signal.throwIfAborted()
        if (kind === 'data') return catalogue.openBlob(digest)
        const manifest = await catalogue.runnable(digest)
        if (!manifest) throw new Fault('image.conflict', { problem: `Nothing in image ${id} runs here.` })
        const names = image.repo === '' ? [] : [formatImageName(image.repo, image.tag)]
        return writeArchive(catalogue, [{ manifest, names }])
      }
      const project = caller.isAdmin ? projectId : caller.projectId
      return streams.opening(project, open, ({ body }) => body)
    },
  }
}

/** From now on nobody else may bring its content. */
async function claim(tables: Tables, caller: Caller, id: ImageId): Promise<Image> {
  const image = await ownImage(tables, caller, id, 'Uploading to this image')
  const isFree = image.status === 'queued' && image.digest === null && image.pending === null
  if (!isFree) {
    const problem = `Image ${id} is ${image.status}; only one that is queued takes an upload.`
    throw new Fault('image.conflict', { problem })
  }
  await tables.images.update(id, { status: 'saving' })
  return image
}

async function letGo(images: Tables['images'], id: ImageId): Promise<void> {
  const image = await images.get(id)
  if (image?.status === 'saving' && image.digest === null) await images.update(id, { status: 'queued' })
}

/** Bytes that only Glance's users know. */
async function keepData(
  { store, catalogue, clock }: Deps,
  caller: Caller,
  id: ImageId,
  body: Readable,
  signal: AbortSignal,
): Promise<Image> {
  const md5 = createHash('md5')
  const sha512 = createHash('sha512')
  async function* summed() {
    for await (const chunk of body) {
      md5.update(chunk as Buffer)
      sha512.update(chunk as Buffer)
      yield chunk as Buffer
    }
  }
  const kept = await catalogue.addBlob(caller, Readable.from(summed(), { objectMode: false }), signal)
  return store.transaction(async ({ images, contents }) => {
    const image = await images.get(id)
    // It was deleted meanwhile, and a sweep takes what came.
    if (image?.status !== 'saving' || image.digest !== null) throw unseen(id)
    await contents.holdBlob(caller.projectId, kept.digest, clock.now())
    const change = {
      kind: 'data' as const,
      status: 'active' as const,
      digest: kept.digest,
      bytes: kept.size,
      glance: { ...image.glance, checksum: md5.digest('hex'), osHash: sha512.digest('hex') },
      updatedAt: clock.now(),
    }
    await images.update(id, change)
    return { ...image, ...change }
  })
}

function noContent(image: Image): Fault {
  return new Fault('image.conflict', { problem: `Image ${shownName(image) || image.id} has no content yet.` })
}
