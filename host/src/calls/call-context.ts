import { Fault, reasonOf } from '@gantry/kernel'
import type { ContainerId } from '@gantry/model'
import { engineName, labels } from '../agent/labels.ts'
import type { Engine } from '../engine/engine.ts'
import { EngineError, EngineUnreachable, isStatus } from '../engine/engine-error.ts'
import type { ImageBuilds } from '../build/image-builds.ts'
import type { HostImages } from '../images/host-images.ts'
import type { PackedVolumes } from '../volumes/index.ts'
import type { ExecEnds } from './exec-ends.ts'

export interface CallContext {
  readonly engine: Engine
  readonly deployment: string
  /** For sentences. */
  readonly hostName: string
  readonly ends: ExecEnds
  readonly builds: ImageBuilds
  readonly images: HostImages
  readonly volumes: PackedVolumes
  /** The engine's id of a container that is known to be there; null: not known. */
  engineIdOf(id: ContainerId): string | null
  /** Runs a task that changes the container for a while by itself, with the reconciling of it suspended. */
  hold<T>(id: ContainerId, task: () => Promise<T>): Promise<T>
}

/** The engine's id of a container of ours. What is not ours is not found, whatever its name. */
export async function resolve(context: CallContext, id: ContainerId, signal: AbortSignal): Promise<string> {
  const known = context.engineIdOf(id)
  if (known !== null) return known
  try {
    const found = await context.engine.containers.inspect(engineName(id), signal)
    const theirs = found.Config.Labels ?? {}
    if (theirs[labels.deployment] === context.deployment && theirs[labels.container] === id) return found.Id
  } catch (error) {
    if (!isStatus(error, 404)) throw error
  }
  throw new Fault('container.no-host', { ref: id })
}

/** Runs `task` on a container of ours; what the engine refuses becomes a fault with `action` in its sentence. */
export async function onContainer<T>(
  context: CallContext,
  action: string,
  id: ContainerId,
  signal: AbortSignal,
  task: (engineId: string) => Promise<T>,
): Promise<T> {
  try {
    return await task(await resolve(context, id, signal))
  } catch (error) {
    throw faultOf(error, context.hostName, { action, ref: id })
  }
}

/** What engines say when the container's state forbids something; Podman says the second and the third. */
const stateBlamed =
  /is (not running|paused|restarting|stopped|not paused|already paused)|is in state (\w+)|on running containers/i

/** An engine's error as a fault. Anything else is handed on as it is. */
export function faultOf(error: unknown, host: string, { action, ref }: { action: string; ref: string }): unknown {
  if (error instanceof EngineUnreachable) return new Fault('engine.unreachable', { host, reason: error.message }, error)
  if (!(error instanceof EngineError)) return error
  const { status, message } = error
  if (status === 404 && /no such container/i.test(message)) return new Fault('container.no-host', { ref }, error)
  const blamed = stateBlamed.exec(message)
  const state = blamed ? (blamed[1] ?? blamed[2] ?? 'not running') : undefined
  if ((status === 409 || status === 500) && state !== undefined) {
    return new Fault('container.state', { action, ref, status: state, allowed: 'Running' }, error)
  }
  if (status === 400) return new Fault('request.invalid', { problem: message }, error)
  return new Fault('engine.failed', { host, reason: reasonOf(error) }, error)
}
