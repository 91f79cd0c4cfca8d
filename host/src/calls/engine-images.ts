import { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { parseImageName } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import { jsonLines } from '../engine/line-reader.ts'
import { type CallContext, faultOf } from './call-context.ts'
import { recordOf } from './image-archive.ts'
import { type Loaded, safeArchive } from './load-archive.ts'
import { asLine, pullFlow, pushFlow } from './registry-flow.ts'
import { renamedArchive } from './save-archive.ts'

type EngineImageCalls = Pick<
  AgentCalls,
  | 'imageInspect'
  | 'imageSummaries'
  | 'imageHistory'
  | 'imageTag'
  | 'imagePullFlow'
  | 'imagePushFlow'
  | 'imageSave'
  | 'imageLoad'
  | 'imageImport'
  | 'registryLogin'
  | 'distribution'
>

/** Images in the engine's own words. Which project may name which reference is the server's to know. */
export function engineImageCalls(context: CallContext): EngineImageCalls {
  const { engine, hostName } = context
  const { rawImages, images } = engine
  /** What the engine says of `ref`; that it has none is `image.not-found`. */
  const asked = async <T>(ref: string, task: () => Promise<T>): Promise<T> => {
    try {
      return await task()
    } catch (error) {
      if (isStatus(error, 404)) throw new Fault('image.not-found', { image: ref, reason: error.message }, error)
      throw faultOf(error, hostName, { action: 'use', ref })
    }
  }
  return {
    imageInspect: ({ engineRef }, { signal }) =>
      asked(engineRef, async () => ({
        reply: { found: await rawImages.inspect(engineRef, signal) },
        output: null,
      })),
    imageSummaries: ({ imageIds }, { signal }) =>
      asked('', async () => {
        const wanted = new Set(imageIds)
        const all = await rawImages.list(signal)
        return { reply: { images: all.filter(({ Id }) => wanted.has(String(Id))) }, output: null }
      }),
    imageHistory: ({ engineRef }, { signal }) =>
      asked(engineRef, async () => ({
        reply: { layers: await rawImages.history(engineRef, signal) },
        output: null,
      })),
    imageTag: ({ engineRef, as }, { signal }) =>
      asked(engineRef, async () => {
        const { repo, tag } = parseImageName(as)
        await images.tag(engineRef, repo, tag, signal)
        return { reply: {}, output: null }
      }),
    imagePullFlow: ({ source, engineRef, auth }, { signal }) =>
      asked(source, async () => ({
        reply: {},
        output: await pullFlow(engine, { source, engineRef, auth }, signal),
      })),
    imagePushFlow: (args, { signal }) =>
      asked(args.engineRef, async () => ({ reply: {}, output: await pushFlow(engine, args, signal) })),
    imageSave: ({ images: wanted }, { signal }) =>
      asked(wanted[0]?.engineRef ?? '', async () => {
        const names = new Map(wanted.map(({ engineRef, as }) => [engineRef, as]))
        return {
          reply: {},
          output: renamedArchive(await rawImages.save([...names.keys()], signal), names),
        }
      }),
    imageLoad: ({ space }, { signal, input }) =>
      asked(space, async () => ({ reply: {}, output: await loading(context, needed(input), space, signal) })),
    imageImport: ({ engineRef, message, changes }, { signal, input }) =>
      asked(engineRef, async () => {
        const { repo, tag } = parseImageName(engineRef)
        const body = await rawImages.import(needed(input), { repo, tag, message, changes }, signal)
        for await (const line of jsonLines(body)) {
          const { error } = recordOf(line)
          if (typeof error === 'string') throw new Fault('request.invalid', { problem: error })
        }
        const { Id, Size } = await images.inspect(engineRef, signal)
        return { reply: { imageId: Id, size: Size }, output: null }
      }),
    registryLogin: async ({ auth }, { signal }) => {
      try {
        const found = recordOf(await rawImages.auth(auth, signal))
        const text = (key: string, usual: string) => (typeof found[key] === 'string' ? found[key] : usual)
        return {
          reply: { status: text('Status', 'Login Succeeded'), token: text('IdentityToken', '') },
          output: null,
        }
      } catch (error) {
        throw registryFault(error, hostName)
      }
    },
    distribution: async ({ source, auth }, { signal }) => {
      try {
        return { reply: { found: await rawImages.distribution(source, auth, signal) }, output: null }
      } catch (error) {
        throw registryFault(error, hostName)
      }
    },
  }
}

function registryFault(error: unknown, hostName: string): unknown {
  if (!(error instanceof EngineError)) return faultOf(error, hostName, { action: 'use', ref: 'registry' })
  const code = error.status === 401 || error.status === 403 ? 'registry.login' : 'registry.refused'
  return new Fault(error.status >= 500 ? 'registry.unreachable' : code, { reason: error.message }, error)
}

function needed(input: Readable | undefined): Readable {
  if (input) return input
  throw new Fault('request.invalid', { problem: 'A tar is needed.' })
}

/** Gives the engine a safe archive, and tells its progress without its names, at the end what was loaded. */
async function loading(
  { engine }: CallContext,
  input: Readable,
  space: string,
  signal: AbortSignal,
): Promise<Readable> {
  let loaded: readonly Loaded[] = []
  const tar = safeArchive(input, space, (told) => {
    loaded = told
  })
  // What is wrong with the archive is the answer, not that the engine was given no more of it.
  const wrong = new Promise<never>((_resolve, reject) => tar.once('error', reject))
  wrong.catch(() => undefined)
  const body = await Promise.race([engine.rawImages.load(tar, signal), wrong])
  return Readable.from(
    loadLines(engine, body, () => loaded, signal),
    { objectMode: false },
  )
}

async function* loadLines(
  { images }: CallContext['engine'],
  body: Readable,
  loaded: () => readonly Loaded[],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let failed = false
  for await (const line of jsonLines(body)) {
    const { error, stream } = recordOf(line)
    failed ||= typeof error === 'string'
    // It names what only engines call so.
    if (typeof stream !== 'string') yield asLine(line)
  }
  if (failed) return
  const told: object[] = []
  for (const { engineRefs, names } of loaded()) {
    const [ref = ''] = engineRefs
    const { Id: imageId, Size: size } = await images.inspect(ref, signal)
    told.push({ imageId, size, names, engineRefs })
  }
  yield asLine({ loaded: told })
}
