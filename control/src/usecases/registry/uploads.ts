import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { UploadId } from '../../ports/blob-store.ts'
import type { Upload } from '../../ports/image-tables.ts'
import { enforceQuota, limitsOf } from '../../quotas/enforce.ts'
import type { Repository } from '../../registry-verbs.ts'
import { digestOf } from './reading.ts'
import type { RegistryDeps } from './registry-deps.ts'

export type Uploads = Pick<Repository, 'beginUpload' | 'received' | 'append' | 'finishUpload' | 'cancelUpload'>

/** At once, of a project. Clients of Docker have five. */
const mostUploads = 100

/** Blobs on their way into a repository of the caller's project. What is left of them is swept (`Policy.uploadLifeMs`). */
export function uploadsOf(
  { store, blobs, catalogue, ids, clock }: RegistryDeps,
  caller: Caller,
  repo: string,
): Uploads {
  const { projectId, userId } = caller
  /** Known to this repository alone: elsewhere it is as one that never was. */
  const own = async (text: string): Promise<Upload> => {
    const upload = await store.uploads.get(text as UploadId)
    if (!upload || upload.projectId !== projectId || upload.repo !== repo) {
      throw new Fault('upload.unknown', { upload: text.slice(0, 100) })
    }
    return upload
  }
  /** Bytes that this upload may come to: what the project has not taken, held or on its way. */
  const room = async (id: UploadId): Promise<{ readonly limit: number; readonly taken: number }> => {
    const { imageBytes } = await limitsOf(store, projectId)
    if (imageBytes < 0) return { limit: Number.MAX_SAFE_INTEGER, taken: 0 }
    const others = (await store.uploads.ofProject(projectId)).filter((other) => other.id !== id)
    const received = await Promise.all(others.map(async (other) => blobs.received(other.id).catch(() => 0)))
    const taken = received.reduce((sum, bytes) => sum + bytes, await store.contents.bytesOf(projectId))
    return { limit: Math.max(0, imageBytes - taken), taken }
  }
  return {
    async beginUpload() {
      const id = ids.uuid() as UploadId
      await store.transaction(async (tables) => {
        if ((await tables.uploads.ofProject(projectId)).length >= mostUploads) {
          throw new Fault('upload.busy', { limit: mostUploads })
        }
        // Better now than after gigabytes.
        await enforceQuota(tables, projectId, { imageBytes: 1 })
        await tables.uploads.insert({ id, projectId, repo, userId, createdAt: clock.now() })
      })
      await blobs.begin(id)
      return id
    },
    async received(text) {
      const { id } = await own(text)
      return blobs.received(id)
    },
    async append(text, body, offset, signal) {
      const { id } = await own(text)
      const { limit, taken } = await room(id)
      try {
        return await blobs.append(id, body, { offset, limit }, signal)
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'request.too-large') throw error
        const excess = { resource: 'imageBytes', limit: limit + taken, used: taken, asked: limit + 1 }
        throw new Fault('quota.exceeded', excess, error)
      }
    },
    async finishUpload(text, digest) {
      const { id } = await own(text)
      return catalogue.keepUpload(caller, id, digestOf(digest))
    },
    async cancelUpload(text) {
      const { id } = await own(text)
      await blobs.abort(id)
      await store.uploads.remove(id)
    },
  }
}
