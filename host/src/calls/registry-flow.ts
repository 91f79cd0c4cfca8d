import { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { parseImageName } from '@gantry/model'
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
  const held = isPrivate ? await engine.names.hold(source, signal) : null
  if (!held) await engine.names.free(source, signal)
  const before = isPrivate ? await idOf(engine, source, signal) : null
  const finish = async () => {
    if (!isPrivate) return
    const to = parseImageName(engineRef)
    await engine.images.tag(source, to.repo, to.tag, signal)
    await restore(engine, source, before)
  }
  const known = () => idOf(engine, engineRef, signal).then((id) => id !== null)
  try {
    return await flowing({
      open: (within) => engine.rawImages.pull(from.repo, from.tag, auth, within),
      signal,
      finish,
      instead: async (reason) => ((await known()) ? upToDate(source, from.tag, reason) : null),
      end: () => held?.[Symbol.dispose](),
    })
  } catch (error) {
    held?.[Symbol.dispose]()
    throw error
  }
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
  const isBorrowed = engineRef !== target
  const held = isBorrowed ? await engine.names.hold(target, signal) : null
  try {
    const before = isBorrowed ? await idOf(engine, target, signal) : null
    if (isBorrowed) await engine.images.tag(engineRef, to.repo, to.tag, signal)
    const giveBack = async () => {
      if (isBorrowed) await restore(engine, target, before)
    }
    return await flowing({
      open: (within) =>
        engine.rawImages.push(to.repo, to.tag, auth, within).catch(async (error: unknown) => {
          await giveBack()
          throw error
        }),
      signal,
      finish: async () => undefined,
      instead: async () => null,
      end: async () => {
        await giveBack()
        held?.[Symbol.dispose]()
      },
    })
  } catch (error) {
    held?.[Symbol.dispose]()
    throw error
  }
}

interface Flow {
  readonly open: (signal: AbortSignal) => Promise<Readable>
  readonly signal: AbortSignal
  /** After all went well, before the last bytes leave. */
  readonly finish: () => Promise<void>
  /** Lines in the place of an error that says that the registry is out of reach; null: the error it is. */
  readonly instead: (reason: string) => Promise<readonly object[] | null>
  /** Whatever happened. */
  readonly end: () => void | Promise<void>
}

async function flowing(flow: Flow): Promise<Readable> {
  const guard = silenceGuard(silentBeforeMs, flow.signal)
  try {
    const body = await flow.open(guard.signal)
    return Readable.from(progress(flow, guard, body), { objectMode: false })
  } catch (error) {
    const reason = guard.expired ? 'the registry does not answer' : error instanceof Error ? error.message : ''
    guard[Symbol.dispose]()
    if (!guard.expired && !(error instanceof EngineError)) throw error
    const lines = guard.expired || outOfReach.test(reason) ? await flow.instead(reason) : null
    if (!lines) throw refusalOf(error, reason)
    await flow.end()
    return Readable.from(lines.map(asLine), { objectMode: false })
  }
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

/** null: the engine has no image of that name. */
async function idOf(engine: Engine, ref: string, signal: AbortSignal): Promise<string | null> {
  try {
    return (await engine.images.inspect(ref, signal)).Id
  } catch (error) {
    if (isStatus(error, 404)) return null
    throw error
  }
}

/** The name means again what it meant before. Not ended by anybody's signal: the name must not stay with another's image. */
async function restore(engine: Engine, name: string, before: string | null): Promise<void> {
  const { repo, tag } = parseImageName(name)
  if (before !== null) await engine.images.tag(before, repo, tag)
  else {
    await engine.images.remove(name).catch((error: unknown) => {
      if (!isStatus(error, 404)) throw error
    })
  }
}
