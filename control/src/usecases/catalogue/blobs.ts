import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Fault, turns } from '@gantry/kernel'
import type { Digest, ProjectId } from '@gantry/model'
import type { Catalogue } from '../../catalogue.ts'
import type { UploadId } from '../../ports/blob-store.ts'
import type { Tables } from '../../ports/store.ts'
import { enforceQuota, limitsOf } from '../../quotas/enforce.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'

interface Kept {
  readonly digest: Digest
  readonly size: number
}

export interface Blobs extends Pick<Catalogue, 'addBlob' | 'keepUpload' | 'openBlob' | 'readBlob' | 'holdBlob'> {
  /**
   * Keeps what `body` gives, which must be `expected`, for nobody yet: who wants it must hold it within the grace of a sweep.
   * `origin`: the registry from which anybody may have it; null: not everybody may.
   */
  addFetched(body: Readable, expected: Kept, origin: string | null, signal: AbortSignal): Promise<void>
  /** As `holdBlob`, in a transaction, without a look into the store. `mayHave`: the caller has judged that. */
  holdIn(
    tables: Tables,
    projectId: ProjectId,
    digest: Digest,
    mayHave?: boolean,
  ): Promise<{ readonly size: number } | null>
  /**
   * Those that nobody holds, nothing is made of and nobody asked for since leave the catalogue and the store. `usedBefore`: epoch
   * milliseconds.
   */
  free(digests: Iterable<Digest>, usedBefore: number): Promise<{ readonly blobs: number; readonly bytes: number }>
  /** Removes a file of the store's that the catalogue does not know, if that is so. */
  removeStray(digest: Digest): Promise<boolean>
  /** Uploads that this process is writing for itself, and whose they are; null: nobody's. */
  readonly own: ReadonlyMap<UploadId, ProjectId | null>
}

const longestRead = 8 * 1024 * 1024

/**
 * Blobs, in the store and in the catalogue's tables. Content comes into the store first and into the tables then, and leaves in the
 * opposite order, so that a kill leaves at worst a file that no row knows. Both exclude each other, digest by digest.
 */
export function createBlobs({ store, blobs, clock, ids, cluster }: CatalogueDeps): Blobs {
  const here = turns()
  const alone = <T>(digest: Digest, work: () => Promise<T>): Promise<T> =>
    here.take(digest, () => (cluster ? cluster.inTurn(`blob ${digest}`, work) : work()))
  const own = new Map<UploadId, ProjectId | null>()

  async function finish(id: UploadId, digest: Digest, write: (tables: Tables, size: number) => Promise<void>) {
    return alone(digest, async () => {
      const { size } = await blobs.finish(id, digest)
      try {
        await store.transaction((tables) => write(tables, size))
      } catch (error) {
        // Refused by a quota: nobody has it then.
        if (!(await store.contents.blob(digest))) await blobs.remove(digest)
        throw error
      }
      // From now on the tables say what became of it.
      await blobs.abort(id)
      return { digest, size }
    })
  }

  function keepFor(projectId: ProjectId, digest: Digest) {
    return async (tables: Tables, size: number) => {
      const at = clock.now()
      if (!(await tables.contents.hasBlob(projectId, digest))) {
        await enforceQuota(tables, projectId, { imageBytes: size })
      }
      await tables.contents.addBlob({ digest, size, origin: null, at })
      await tables.contents.holdBlob(projectId, digest, at)
    }
  }

  /** An upload of our own, which never outlives this call. */
  async function withUpload<T>(projectId: ProjectId | null, work: (id: UploadId) => Promise<T>): Promise<T> {
    const id = ids.uuid() as UploadId
    own.set(id, projectId)
    try {
      await blobs.begin(id)
      return await work(id)
    } finally {
      await blobs.abort(id)
      own.delete(id)
    }
  }

  async function holdIn(tables: Tables, projectId: ProjectId, digest: Digest, mayHave = false) {
    const { contents } = tables
    const known = await contents.blob(digest)
    if (!known) return null
    if (!(await contents.hasBlob(projectId, digest))) {
      if (!mayHave && !(await contents.isVisible(projectId, digest))) return null
      await enforceQuota(tables, projectId, { imageBytes: known.size })
    }
    await contents.holdBlob(projectId, digest, clock.now())
    return { size: known.size }
  }

  return {
    own,
    holdIn,
    addBlob: ({ projectId }, body, signal, digest) =>
      withUpload(projectId, async (id) => {
        const room = await roomOf(store, projectId)
        const hash = digest === undefined ? createHash('sha256') : null
        const source = hash ? hashed(body, hash) : body
        await room.keepsWithin(blobs.append(id, source, { offset: 0, limit: room.left }, signal))
        const found = digest ?? (`sha256:${hash?.digest('hex')}` as Digest)
        return finish(id, found, keepFor(projectId, found))
      }),
    async addFetched(body, { digest, size }, origin, signal) {
      await withUpload(null, async (id) => {
        await blobs.append(id, body, { offset: 0, limit: size }, signal)
        await finish(id, digest, ({ contents }, actual) =>
          contents.addBlob({ digest, size: actual, origin, at: clock.now() }),
        )
      })
    },
    async keepUpload({ projectId }, id, digest) {
      return finish(id, digest, async (tables, size) => {
        await keepFor(projectId, digest)(tables, size)
        await tables.uploads.remove(id)
      })
    },
    async holdBlob({ projectId }, digest) {
      if (!(await blobs.stat(digest))) return null
      return store.transaction((tables) => holdIn(tables, projectId, digest))
    },
    openBlob: (digest, range) => blobs.open(digest, range),
    async readBlob(digest) {
      const { size, body } = await blobs.open(digest)
      if (size > longestRead) {
        body.destroy()
        throw new Fault('request.too-large', { limit: longestRead })
      }
      return buffer(body)
    },
    async free(digests, usedBefore) {
      const freed = { blobs: 0, bytes: 0 }
      for (const digest of digests) {
        await alone(digest, async () => {
          const known = await store.contents.blob(digest)
          if (!known || !(await store.contents.removeBlob(digest, usedBefore))) return
          await blobs.remove(digest)
          freed.blobs += 1
          freed.bytes += known.size
        })
      }
      return freed
    },
    removeStray: (digest) =>
      alone(digest, async () => {
        if (await store.contents.blob(digest)) return false
        await blobs.remove(digest)
        return true
      }),
  }
}

/** What a project may still bring here. `keepsWithin` says of what is longer that the quota forbids it. */
async function roomOf(tables: Tables, projectId: ProjectId) {
  const { imageBytes: limit } = await limitsOf(tables, projectId)
  if (limit < 0) return { left: Number.MAX_SAFE_INTEGER, keepsWithin: <T>(work: Promise<T>) => work }
  const used = await tables.contents.bytesOf(projectId)
  const left = Math.max(0, limit - used)
  return {
    left,
    keepsWithin: <T>(work: Promise<T>) =>
      work.catch((error: unknown) => {
        const isLonger = error instanceof Fault && error.code === 'request.too-large'
        if (!isLonger) throw error
        throw new Fault('quota.exceeded', { resource: 'imageBytes', limit, used, asked: left + 1 }, error)
      }),
  }
}

function hashed(body: Readable, hash: Hash): Readable {
  return Readable.from(
    (async function* pass() {
      for await (const chunk of body) {
        hash.update(chunk as Buffer)
        yield chunk as Buffer
      }
    })(),
    { objectMode: false, highWaterMark: 1024 * 1024 },
  )
}
