import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Upstream } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { AgentCalls } from '@gantry/wire'
import { bytesOf, digestOf, type MadeImage, makeImage } from './a-catalogue.ts'
import { push } from './a-registry.ts'
import { aCaller, aWorld, simHostId, type World } from './a-world.ts'

export const me = aCaller('p1')
export const they = aCaller('p2')

export interface ImageCloud extends AsyncDisposable {
  readonly world: World
  /** Another registry, by `library/app:1`; while `isAway`, it cannot be reached. */
  readonly registry: Map<string, MadeImage>
  readonly state: { isAway: boolean }
  /** What the host's engine has, by its names for it. */
  readonly engine: Map<string, MadeImage>
  /** All that the engine was asked for, by the names of calls. */
  readonly asked: string[]
  /** The progress of a pull, as text. */
  pull(caller?: typeof me, repo?: string, login?: boolean): Promise<string>
  /** All names that the project sees, in order. */
  names(caller?: typeof me): Promise<string[]>
}

export type EngineCalls = Pick<AgentCalls, 'commit' | 'imageGive' | 'imageLook' | 'imageRemove' | 'imageForget'>

/** A world with another registry, and a host whose engine commits and gives images; `around` may have its say in between. */
export async function anImageCloud(
  around: (engine: EngineCalls) => Partial<AgentCalls> = () => ({}),
): Promise<ImageCloud> {
  const registry = new Map<string, MadeImage>()
  const engine = new Map<string, MadeImage>()
  const state = { isAway: false }
  const asked: string[] = []
  let commits = 0
  const found = (engineRef: string): MadeImage => {
    const image = engine.get(engineRef)
    if (!image) throw new Fault('image.not-found', { image: engineRef, reason: 'none' })
    return image
  }
  const held = ({ configDigest, layers }: MadeImage) => ({
    imageId: configDigest,
    size: 100,
    layers: layers.map((layer) => ({ diffId: digestOf(layer), size: 100 / layers.length })),
  })
  const calls: EngineCalls = {
    async commit({ engineRef }) {
      asked.push('commit')
      commits += 1
      const image = makeImage([`commit ${commits}`])
      engine.set(engineRef, image)
      return { reply: { imageId: image.configDigest, size: 100 }, output: null }
    },
    async imageGive({ engineRef, target }) {
      asked.push('imageGive')
      const image = found(engineRef)
      const repository = world.control.registry.forHost(simHostId, target.pass, target.repository)
      const digest = await push(repository, target.reference, image)
      return { reply: { ...held(image), digest }, output: null }
    },
    imageLook: async ({ engineRef }) => ({ reply: held(found(engineRef)), output: null }),
    async imageRemove({ engineRef }) {
      found(engineRef)
      engine.delete(engineRef)
      return { reply: {}, output: null }
    },
    imageForget: async () => ({ reply: {}, output: null }),
  }
  const upstream = upstreamOf(registry, state)
  const world: World = await aWorld({ calls: { ...calls, ...around(calls) }, upstream })
  return {
    world,
    registry,
    state,
    engine,
    asked,
    async pull(caller = me, repo = 'app', login = false) {
      const auth = login ? { domain: '', username: 'ada', password: 'secret' } : null
      const request = { repo, tag: '1', login: auth }
      return text(await world.control.engineImages.pull(caller, request, AbortSignal.timeout(10_000)))
    },
    names: async (caller = me) =>
      (await world.control.engineImages.list(caller)).flatMap(({ names }) => names).toSorted(),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

function upstreamOf(registry: ReadonlyMap<string, MadeImage>, state: { readonly isAway: boolean }): Upstream {
  const manifestOf = async ({ path }: { readonly path: string }, reference: string) => {
    if (state.isAway) throw new Fault('registry.unreachable', { reason: 'no route to it' })
    const image = registry.get(`${path}:${reference}`)
    if (!image) throw new Fault('registry.refused', { reason: 'manifest unknown' })
    return { ...image.manifest, digest: image.digest }
  }
  const away = async () => {
    throw new Fault('registry.unreachable', { reason: 'no route to it' })
  }
  return {
    manifest: manifestOf,
    async blob(_repository, digest) {
      const texts = [...registry.values()].flatMap(({ config, layers }) => [config, ...layers])
      const content = texts.find((each) => digestOf(each) === digest)
      if (content === undefined) throw new Fault('registry.refused', { reason: 'blob unknown' })
      return { size: null, body: Readable.from([bytesOf(content)]) }
    },
    hasBlob: async () => true,
    putBlob: async () => {},
    putManifest: async () => {},
    logIn: away,
    search: away,
  }
}
