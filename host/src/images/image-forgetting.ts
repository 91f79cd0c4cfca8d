import { isStatus } from '../engine/engine-error.ts'
import type { ImageApi } from '../engine/images.ts'
import { isCopyName } from './image-names.ts'

/** Takes away what nobody needs; of an image that a container has, the engine itself keeps the last name. */
export interface ImageForgetting {
  forget(imageIds: readonly string[], signal: AbortSignal): Promise<void>
  /** Tries again what was in use. */
  rest(signal: AbortSignal): Promise<void>
  /** It is wanted again. */
  keep(imageId: string): void
}

export function imageForgetting(images: Pick<ImageApi, 'inspect' | 'remove'>): ImageForgetting {
  const waiting = new Set<string>()

  /** Whether none of our names is left. */
  const drop = async (imageId: string, signal: AbortSignal): Promise<boolean> => {
    try {
      const { RepoTags, RepoDigests } = await images.inspect(imageId, signal)
      for (const name of [...(RepoTags ?? []), ...(RepoDigests ?? [])].filter(isCopyName)) {
        // With its tag an engine takes away the digest of the same repository.
        await images.remove(name, signal).catch((error: unknown) => {
          if (!isStatus(error, 404)) throw error
        })
      }
      return true
    } catch (error) {
      if (isStatus(error, 404)) return true
      if (isStatus(error, 409)) return false
      throw error
    }
  }
  const dropAll = async (signal: AbortSignal) => {
    for (const imageId of waiting) if (await drop(imageId, signal)) waiting.delete(imageId)
  }

  return {
    async forget(imageIds, signal) {
      for (const imageId of imageIds) waiting.add(imageId)
      await dropAll(signal)
    },
    rest: dropAll,
    keep: (imageId) => void waiting.delete(imageId),
  }
}
