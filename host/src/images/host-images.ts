import { Fault, turns } from '@gantry/kernel'
import { type ImageSource, parseImageName } from '@gantry/model'
import type { CallReply } from '@gantry/wire'
import type { HistoryLine } from '../engine/build-api.ts'
import type { Engine } from '../engine/engine.ts'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import { imageForgetting } from './image-forgetting.ts'
import { isCopyName, isImageId, nameAt } from './image-names.ts'
import type { RegistryEndpoint } from './registry-endpoint.ts'
import type { RegistryProblem } from './registry-watch.ts'
import { sharedWork } from './shared-work.ts'

type HeldImage = CallReply<'imageLook'>

export interface Fetch {
  readonly source: ImageSource
  /** The engine need not ask for it if it has this. */
  readonly imageId: string | null
  /** A name that it gets as well; an id is none. */
  readonly engineRef: string | null
}

/** The server is away, or was in the middle: the same again may do. */
export class ServerAway extends Error {
  override readonly name = 'ServerAway'
}

/** The engine's copies of what the catalogue has. */
export interface HostImages {
  /**
   * The engine has the image afterwards; answers the name or id by which it does. Those who want the same at once wait for
   * one pull. Throws `registry.refused` and `registry.unreachable` in the words of the server, and `ServerAway`.
   */
  fetch(what: Fetch, signal: AbortSignal): Promise<string>
  /** Gives what the engine has under `engineRef` to the server; answers the digest of its manifest. Throws as `fetch` does. */
  give(engineRef: string, target: ImageSource, signal: AbortSignal): Promise<string>
  /** null: the engine has nothing under that name or id. */
  look(engineRef: string, signal: AbortSignal): Promise<HeldImage | null>
  /** Ids of the images that have a copy's name. */
  copies(signal: AbortSignal): Promise<string[]>
  /** Takes copies away as soon as nothing needs them. */
  forget(imageIds: readonly string[], signal: AbortSignal): Promise<void>
  /** Once more what could not be taken away yet. */
  forgetRest(signal: AbortSignal): Promise<void>
}

export function hostImages(engine: Engine, endpoint: RegistryEndpoint): HostImages {
  const { images, builds, transfer } = engine
  const fetches = sharedWork<string>()
  const gifts = turns()
  const forgetting = imageForgetting(images)

  const has = async (ref: string, signal: AbortSignal) => (await inspected(ref, signal)) !== null
  const inspected = async (ref: string, signal: AbortSignal) => {
    try {
      return await images.inspect(ref, signal)
    } catch (error) {
      if (isStatus(error, 404)) return null
      throw error
    }
  }
  /** Runs one transfer, and says of its failure what the server said. */
  const moved = async (move: 'pull' | 'push', repo: string, reference: string, pass: string, signal: AbortSignal) => {
    using watch = endpoint.watch(repo.slice(repo.indexOf('/') + 1))
    try {
      await transfer[move]({ repo, reference, username: 'gantry', password: pass }, signal)
      return watch.manifests.get(reference) ?? null
    } catch (error) {
      throw signal.aborted || !(error instanceof EngineError) ? error : problemOf(error, watch.problem)
    }
  }

  /** false: there is no such name to give. */
  const named = async (ref: string, engineRef: string | null, signal: AbortSignal): Promise<boolean> => {
    if (engineRef === null || isImageId(engineRef) || engineRef.includes('@')) return false
    const { repo, tag } = parseImageName(engineRef)
    await images.tag(ref, repo, tag, signal)
    return true
  }

  const pulled = async ({ source, imageId, engineRef }: Fetch, signal: AbortSignal): Promise<string> => {
    const repo = `${await endpoint.address()}/${source.repository}`
    const copy = nameAt(repo, source.reference)
    // Of another registry's image only that registry knows who may have it.
    const isOurs = !source.repository.startsWith('upstream/') && source.reference.includes(':')
    if (!isOurs || !(await has(copy, signal))) await moved('pull', repo, source.reference, source.pass, signal)
    if (await named(copy, engineRef, signal)) return engineRef ?? copy
    // An engine that keeps its images in containerd calls them by something else.
    return imageId !== null && (await has(imageId, signal)) ? imageId : copy
  }

  const given = async (imageId: string, target: ImageSource, signal: AbortSignal): Promise<string> => {
    const repo = `${await endpoint.address()}/${target.repository}`
    // Of the image's own, so that two that are given at once are not taken for each other.
    const tag = imageId.replace(/^sha256:/, '').slice(0, 32)
    await images.tag(imageId, repo, tag, signal)
    const digest = await moved('push', repo, tag, target.pass, signal)
    if (digest !== null) return digest
    throw new Fault('registry.refused', { reason: 'The engine says that it pushed the image, but no manifest came.' })
  }

  return {
    async fetch(what, signal) {
      const { source, imageId, engineRef } = what
      if (imageId !== null && (await has(imageId, signal))) {
        forgetting.keep(imageId)
        await named(imageId, engineRef, signal)
        return imageId
      }
      // Without an id it depends on the pass what the name means, and whether it may be had.
      const key = JSON.stringify([imageId ?? source, engineRef])
      return fetches.join(key, (within) => pulled(what, within), signal)
    },
    async give(engineRef, target, signal) {
      const { Id } = await images.inspect(engineRef, signal)
      forgetting.keep(Id)
      return gifts.take(Id, () => given(Id, target, signal))
    },
    async look(engineRef, signal) {
      const found = await inspected(engineRef, signal)
      if (!found) return null
      const history = await builds.history(found.Id, signal)
      const layers = layersOf(found.RootFS?.Layers ?? [], history.toReversed())
      return { imageId: found.Id, size: found.Size, layers }
    },
    async copies(signal) {
      const all = await images.list(signal)
      return all.flatMap(({ Id, RepoTags, RepoDigests }) => {
        return [...(RepoTags ?? []), ...(RepoDigests ?? [])].some(isCopyName) ? [Id] : []
      })
    },
    forget: (imageIds, signal) => forgetting.forget(imageIds, signal),
    forgetRest: (signal) => forgetting.rest(signal),
  }
}

function problemOf(error: EngineError, problem: RegistryProblem | null): unknown {
  if (problem?.kind === 'lost') return new ServerAway('the server could not be reached for an image', { cause: error })
  const reason = problem?.message ?? error.message
  const status = problem?.status ?? error.status
  const isAway = status === 502 || status === 503 || status === 504
  return new Fault(isAway ? 'registry.unreachable' : 'registry.refused', { reason }, error)
}

/** Engines do not tell which line of the history made which layer; none where the numbers differ whichever way one counts. */
function layersOf(diffIds: readonly string[], history: readonly HistoryLine[]): { diffId: string; size: number }[] {
  const ways = [({ Size }: HistoryLine) => Size > 0, mayBeLayer]
  const lines = ways.map((isLayer) => history.filter(isLayer)).find(({ length }) => length === diffIds.length)
  return lines?.map(({ Size }, at) => ({ diffId: diffIds[at] ?? '', size: Size })) ?? []
}

/** Lines that a builder wrote for what changes no file have no layer; an empty one of any other may have one. */
function mayBeLayer({ Size, CreatedBy }: HistoryLine): boolean {
  return Size > 0 || !/#\(nop\)\s+(?!COPY|ADD)/.test(CreatedBy)
}
