import { parseImageName } from '@gantry/model'
import { type BorrowedNames, borrowedNames } from '../engine/borrowed-names.ts'
import type { ImageApi, RegistryAuth } from '../engine/images.ts'

export type PrivatePull = (source: string, imageRef: string, auth: RegistryAuth, signal: AbortSignal) => Promise<void>

/**
 * Pulls `source` with a password and keeps it as `imageRef`, which only its project can ask for. Under its own name anybody
 * could run it without the password: engines ask for that when they fetch an image, not when they use it.
 */
export function privatePull(
  images: Pick<ImageApi, 'pull' | 'tag' | 'remove' | 'inspect'>,
  names: BorrowedNames = borrowedNames(),
): PrivatePull {
  return async (source, imageRef, auth, signal) => {
    // One at a time for each name: the end of one takes away the name that another is about to copy.
    const borrowed = await names.borrow(images, source, signal)
    try {
      const from = parseImageName(source)
      const to = parseImageName(imageRef)
      await images.pull(from.repo, from.tag, signal, auth)
      await images.tag(source, to.repo, to.tag, signal)
    } finally {
      await borrowed.giveBack(signal.aborted)
    }
  }
}
