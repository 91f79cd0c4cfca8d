import { Fault } from '@gantry/kernel'
import { parseImageName } from '@gantry/model'
import type { AgentCalls, EngineImage } from '@gantry/wire'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import type { ImageFound } from '../engine/engine-types.ts'
import { type CallContext, faultOf, onContainer } from './call-context.ts'
import { isOutOfReach } from './registry-flow.ts'

export function imageCalls(
  context: CallContext,
): Pick<AgentCalls, 'commit' | 'imageList' | 'imagePull' | 'imageRemove' | 'imageSearch'> {
  const { images, containers } = context.engine
  const failed = (error: unknown) => faultOf(error, context.hostName, { action: 'use', ref: 'image' })
  return {
    commit: ({ id, engineRef, ...options }, { signal }) =>
      onContainer(context, 'commit', id, signal, async (engineId) => {
        const { repo, tag } = parseImageName(engineRef)
        const made = await context.hold(id, () => containers.commit(engineId, repo, tag, signal, options))
        const { Id, Size } = await images.inspect(made.Id, signal)
        return { reply: { imageId: Id, size: Size }, output: null }
      }),
    imageList: async (_args, { signal }) => {
      const all = await images.list(signal).catch((error: unknown) => Promise.reject(failed(error)))
      return {
        reply: { images: all.map((image) => engineImage({ ...image, at: image.Created * 1000 })) },
        output: null,
      }
    },
    imagePull: async ({ engineRef }, { signal }) => {
      const { repo, tag } = parseImageName(engineRef)
      try {
        await images.pull(repo, tag, signal).catch(async (error: unknown) => {
          // What is here already will do when there is nobody to ask for a newer one.
          const isHere = isOutOfReach(error) && (await images.inspect(engineRef, signal).catch(() => null)) !== null
          if (!isHere) throw error
        })
        const image = await images.inspect(engineRef, signal)
        return { reply: engineImage({ ...image, at: Date.parse(image.Created) }), output: null }
      } catch (error) {
        if (!(error instanceof EngineError)) throw failed(error)
        throw new Fault('image.not-found', { image: engineRef, reason: error.message }, error)
      }
    },
    imageSearch: async ({ term }, { signal }) => {
      const found = await images.search(term, signal).catch((error: unknown) => {
        if (signal.aborted) throw error
        // The engine, or the registry behind it, is out of reach or refuses: that is "nothing found" to who asks here.
        return []
      })
      return { reply: { results: found.map(imageFound) }, output: null }
    },
    imageRemove: async ({ engineRef }, { signal }) => {
      try {
        await images.remove(engineRef, signal)
        return { reply: {}, output: null }
      } catch (error) {
        if (isStatus(error, 404)) throw new Fault('image.not-found', { image: engineRef, reason: error.message }, error)
        if (isStatus(error, 409)) throw new Fault('image.in-use', { image: engineRef }, error)
        throw failed(error)
      }
    },
  }
}

function imageFound(found: ImageFound) {
  return {
    name: found.name ?? found.Name ?? '',
    description: found.description ?? found.Description ?? '',
    official: found.is_official ?? (found.Official ?? '') !== '',
    automated: found.is_automated ?? (found.Automated ?? '') !== '',
    stars: found.star_count ?? found.Stars ?? 0,
  }
}

interface ImageFacts {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly RepoDigests: readonly string[] | null
  readonly Size: number
  /** Epoch milliseconds. */
  readonly at: number
}

function engineImage({ Id, RepoTags, RepoDigests, Size, at }: ImageFacts): EngineImage {
  const refs = [...(RepoTags ?? []), ...(RepoDigests ?? [])]
    .filter((ref) => !ref.startsWith('<none>'))
    // Podman spells out what everybody leaves away.
    .map((ref) => ref.replace(/^docker\.io\/(library\/)?/, ''))
  return { imageId: Id, refs, size: Size, createdAt: at }
}
