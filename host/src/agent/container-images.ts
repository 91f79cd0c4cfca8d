import { Fault } from '@gantry/kernel'
import type { Assignment } from '@gantry/model'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import type { ImageApi } from '../engine/images.ts'
import type { HostImages } from '../images/host-images.ts'
import { isImageId } from '../images/image-names.ts'

/** Images as containers need them. */
export interface ContainerImages {
  /** The engine has it afterwards. Rejects with `EngineError` in the server's words, or `ServerAway`. */
  get(assignment: Assignment, signal: AbortSignal): Promise<void>
  /** The assignment with the name by which the engine knows the image, if that is another than ours. */
  named(assignment: Assignment): Assignment
}

/** Engines on which names differ are few, and so are images at work. */
const mostNames = 1000

export function containerImages(host: HostImages, images: Pick<ImageApi, 'inspect'>): ContainerImages {
  const names = new Map<string, string>()

  const has = async (ref: string, signal: AbortSignal) => {
    try {
      await images.inspect(ref, signal)
      return true
    } catch (error) {
      if (isStatus(error, 404)) return false
      throw error
    }
  }
  const nameOf = (imageRef: string) => names.get(imageRef) ?? imageRef

  return {
    async get({ imageRef, imageSource: source }, signal) {
      if (source === null) {
        if (await has(nameOf(imageRef), signal)) return
        throw new EngineError(404, 'there is no registry to get it from')
      }
      const what = isImageId(imageRef)
        ? { source, imageId: imageRef, engineRef: null }
        : { source, imageId: null, engineRef: imageRef }
      try {
        const name = await host.fetch(what, signal)
        if (name === imageRef) names.delete(imageRef)
        else names.set(imageRef, name)
        const [oldest] = names.keys()
        if (names.size > mostNames && oldest !== undefined) names.delete(oldest)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        // What is here will do when there is nobody to ask for a newer one.
        if (error.code === 'registry.unreachable' && (await has(nameOf(imageRef), signal))) return
        throw new EngineError(502, error.message)
      }
    },
    named(assignment) {
      const imageRef = nameOf(assignment.imageRef)
      return imageRef === assignment.imageRef ? assignment : { ...assignment, imageRef }
    },
  }
}
