import { Fault } from '@gantry/kernel'
import type { AgentCalls, CallReply } from '@gantry/wire'
import { isStatus } from '../engine/engine-error.ts'
import { ServerAway } from '../images/host-images.ts'
import { isCopyName } from '../images/image-names.ts'
import { type CallContext, faultOf } from './call-context.ts'

type EngineImageCalls = Pick<
  AgentCalls,
  'imageFetch' | 'imageGive' | 'imageLook' | 'imageForget' | 'imageCopies' | 'imageRemove'
>

/** Images between the engine and the catalogue. Which project may have which is the server's to know. */
export function engineImageCalls({ engine, images, hostName }: CallContext): EngineImageCalls {
  const asked = async <T>(ref: string, task: () => Promise<T>): Promise<T> => {
    try {
      return await task()
    } catch (error) {
      if (isStatus(error, 404)) throw missing(ref, error)
      if (error instanceof ServerAway) throw new Fault('registry.unreachable', { reason: error.message }, error)
      throw faultOf(error, hostName, { action: 'use', ref })
    }
  }
  const held = async (ref: string, signal: AbortSignal): Promise<CallReply<'imageLook'>> => {
    const found = await images.look(ref, signal)
    if (found) return found
    throw missing(ref)
  }
  /** As `held`, of what somebody may name: copies are anybody's, and go by names of the agent's alone. */
  const named = async (ref: string, signal: AbortSignal) => {
    if (isCopyName(ref)) throw missing(ref)
    return held(ref, signal)
  }
  return {
    imageFetch: ({ source, imageId, engineRef }, { signal }) =>
      asked(engineRef ?? source.repository, async () => {
        const name = await images.fetch({ source, imageId, engineRef }, signal)
        return { reply: await held(name, signal), output: null }
      }),
    imageGive: ({ engineRef, target }, { signal }) =>
      asked(engineRef, async () => {
        const found = await named(engineRef, signal)
        const digest = await images.give(found.imageId, target, signal)
        return { reply: { ...found, digest }, output: null }
      }),
    imageLook: ({ engineRef }, { signal }) =>
      asked(engineRef, async () => ({ reply: await named(engineRef, signal), output: null })),
    imageForget: ({ imageIds }, { signal }) =>
      asked('image', async () => {
        await images.forget(imageIds, signal)
        return { reply: {}, output: null }
      }),
    imageCopies: (_args, { signal }) =>
      asked('image', async () => ({ reply: { imageIds: await images.copies(signal) }, output: null })),
    imageRemove: ({ engineRef }, { signal }) =>
      asked(engineRef, async () => {
        try {
          await engine.images.remove(engineRef, signal)
        } catch (error) {
          throw isStatus(error, 409) ? new Fault('image.in-use', { image: engineRef }, error) : error
        }
        return { reply: {}, output: null }
      }),
  }
}

function missing(image: string, error?: Error): Fault {
  return new Fault('image.not-found', { image, reason: error?.message ?? 'the host has none of that name' }, error)
}
