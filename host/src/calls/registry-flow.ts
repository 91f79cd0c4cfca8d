import { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { parseImageName } from '@gantry/model'
import { idOf } from '../engine/borrowed-names.ts'
import type { Engine } from '../engine/engine.ts'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import type { RegistryAuth } from '../engine/images.ts'
import { jsonLines } from '../engine/line-reader.ts'
import { type SilenceGuard, silenceGuard } from '../engine/silence-guard.ts'
import { recordOf } from './image-archive.ts'

/** A registry that says nothing for this long does not answer; a large layer may take longer to unpack. Milliseconds. */
const silentBeforeMs = 30_000
const silentWithinMs = 300_000

/** What engines say when a registry could not be asked at all, rather than having refused. */
const outOfReach =
  /dial tcp|no such host|server misbehaving|connection (refused|reset)|i\/o timeout|network is unreachable|no route to host|handshake timeout|deadline exceeded|request canceled|proxyconnect|does not answer|: EOF/i

/** The engine says that no registry could be asked. */
export function isOutOfReach(error: unknown): boolean {
  return error instanceof EngineError && outOfReach.test(error.message)
}

export interface PullFlow {
  readonly source: string
  readonly engineRef: string
  readonly auth: RegistryAuth | null
}

/**
 * Pulls, and keeps what was pulled as `engineRef`; output: the engine's progress. What the engine has and no registry can be
 * asked for counts as up to date. Throws `registry.refused` and `registry.unreachable` for what fails before anything flows.
 */
export async function pullFlow(
  engine: Engine,
  { source, engineRef, auth }: PullFlow,
  signal: AbortSignal,
): Promise<Readable> {
  const from = parseImageName(source)
  const isPrivate = engineRef !== source
  const borrowed = isPrivate ? await engine.names.borrow(engine.images, source, signal) : null
  if (!borrowed) await engine.names.free(source, signal)
  return flowing({
    open: (within) => engine.rawImages.pull(from.repo, from.tag, auth, within),
    signal,
    finish: async () => {
      const to = parseImageName(engineRef)
      if (isPrivate) await engine.images.tag(source, to.repo, to.tag, signal)
    },
    instead: async (reason) =>
      (await idOf(engine.images, engineRef, signal)) === null ? null : upToDate(source, from.tag, reason),
    end: async () => borrowed?.giveBack(signal.aborted),
  })
}

/** Pushes `engineRef` as `target`, which stands for it in the engine meanwhile, and for nobody else. */
export async function pushFlow(
  engine: Engine,
  {
    engineRef,
    target,
    auth,
  }: { readonly engineRef: string; readonly target: string; readonly auth: RegistryAuth | null },
  signal: AbortSignal,
): Promise<Readable> {
  const to = parseImageName(target)
  const borrowed = engineRef === target ? null : await engine.names.borrow(engine.images, target, signal)
  return flowing({
    open: async (within) => {
      if (borrowed) await engine.images.tag(engineRef, to.repo, to.tag, signal)
      return engine.rawImages.push(to.repo, to.tag, auth, within)
    },
    signal,
    finish: async () => undefined,
    instead: async () => null,
    end: async () => borrowed?.giveBack(signal.aborted),
  })
}

interface Flow {
  readonly open: (signal: AbortSignal) => Promise<Readable>
  readonly signal: AbortSignal
  /** After all went well, before the last bytes leave. */
  readonly finish: () => Promise<void>
  /** Lines in the place of an error that says that the registry is out of reach; null: the error it is. */
  readonly instead: (reason: string) => Promise<readonly object[] | null>
  /** Whatever happened, once. */
  readonly end: () => Promise<void>
}

async function flowing(flow: Flow): Promise<Readable> {
  const guard = silenceGuard(silentBeforeMs, flow.signal)
  let isFlowing = false
  try {
    const body = await flow.open(guard.signal)
    isFlowing = true
    return streamOf(flow, progress(flow, guard, body), body)
  } catch (error) {
    const reason = guard.expired ? 'the registry does not answer' : error instanceof Error ? error.message : ''
    if (!guard.expired && !(error instanceof EngineError)) throw error
    const lines = guard.expired || outOfReach.test(reason) ? await flow.instead(reason) : null
    if (!lines) throw refusalOf(error, reason)
    return Readable.from(lines.map(asLine), { objectMode: false })
  } finally {
    if (!isFlowing) {
      guard[Symbol.dispose]()
      await flow.end()
    }
  }
}

/** One that is destroyed before anybody has read from it would never run, and so not end what it began. */
function streamOf(flow: Flow, lines: AsyncGenerator<Buffer>, body: Readable): Readable {
  let begun = false
  const marked = (async function* () {
    begun = true
    yield* lines
  })()
  const output = Readable.from(marked, { objectMode: false })
  output.once('close', () => {
    if (begun) return
    body.destroy()
    flow.end().catch(() => undefined)
  })
  return output
}

async function* progress(flow: Flow, guard: SilenceGuard, body: Readable): AsyncGenerator<Buffer> {
  let failed = false
  try {
    for await (const line of jsonLines(body)) {
      guard.heard(silentWithinMs)
      const { error } = recordOf(line)
      const lines = typeof error === 'string' && outOfReach.test(error) ? await flow.instead(error) : null
      failed ||= typeof error === 'string' && !lines
      if (lines) for (const told of lines) yield asLine(told)
      else yield asLine(line)
    }
    if (!failed) await flow.finish()
  } catch (error) {
    if (!guard.expired) throw error
    const reason = 'the registry does not answer'
    const lines = await flow.instead(reason)
    for (const told of lines ?? [{ errorDetail: { message: reason }, error: reason }]) yield asLine(told)
  } finally {
    guard[Symbol.dispose]()
    await flow.end()
  }
}

function refusalOf(error: unknown, reason: string): unknown {
  if (outOfReach.test(reason)) return new Fault('registry.unreachable', { reason }, error)
  if (isStatus(error, 401)) return new Fault('registry.login', { reason }, error)
  if (isStatus(error, 400)) return new Fault('request.invalid', { problem: reason }, error)
  // Engines answer 500 for what a registry said in ways of its own.
  return new Fault('registry.refused', { reason }, error)
}

function upToDate(source: string, tag: string, reason: string): readonly object[] {
  return [
    { status: `Pulling from ${parseImageName(source).repo}`, id: tag },
    { status: `The registry could not be reached (${reason}); the host has this image already.` },
    { status: `Status: Image is up to date for ${source}` },
  ]
}

export function asLine(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\r\n`)
}
