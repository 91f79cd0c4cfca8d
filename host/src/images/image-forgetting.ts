import { isStatus } from '../engine/engine-error.ts'
import type { ImageApi } from '../engine/images.ts'
import { isCopyName } from './image-names.ts'

/** An image has one for each way that it came. */
const mostNames = 100

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

  const nameOf = async (imageId: string, signal: AbortSignal): Promise<string | undefined> => {
    const { RepoTags, RepoDigests } = await images.inspect(imageId, signal)
    return [...(RepoTags ?? []), ...(RepoDigests ?? [])].find(isCopyName)
  }
  /** Whether none of our names is left. */
  const drop = async (imageId: string, signal: AbortSignal): Promise<boolean> => {
    try {
      // Looked at again after each: with a tag its digest goes too, and Podman takes one that is gone for the whole image.
      for (let name = await nameOf(imageId, signal), tries = 0; name !== undefined && tries < mostNames; tries += 1) {
        await images.remove(name, signal)
        name = await nameOf(imageId, signal)
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
