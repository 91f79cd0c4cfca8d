import { parseImageName } from '@gantry/model'
import { isStatus } from '../engine/engine-error.ts'
import type { ImageApi, RegistryAuth } from '../engine/images.ts'
import { type NameHolds, nameHolds } from '../engine/name-holds.ts'

export type PrivatePull = (source: string, imageRef: string, auth: RegistryAuth, signal: AbortSignal) => Promise<void>

/**
 * Pulls `source` with a password and keeps it as `imageRef`, which only its project can ask for. Under its own name anybody
 * could run it without the password: engines ask for that when they fetch an image, not when they use it.
 */
export function privatePull(
  images: Pick<ImageApi, 'pull' | 'tag' | 'remove'>,
  names: NameHolds = nameHolds(),
): PrivatePull {
  return async (source, imageRef, auth, signal) => {
    // One at a time for each name: the end of one takes away the name that another is about to copy.
    using _held = await names.hold(source, signal)
    const from = parseImageName(source)
    const to = parseImageName(imageRef)
    await images.pull(from.repo, from.tag, signal, auth)
    await images.tag(source, to.repo, to.tag, signal)
    await images.remove(source, signal).catch((error: unknown) => {
      if (!isStatus(error, 404)) throw error
    })
  }
}
