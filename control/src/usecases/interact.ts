import { Fault } from '@gantry/kernel'
import type { Caller, Container, Verb } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import type { Readable } from 'node:stream'
import type { Containers } from '../control.ts'
import type { Deps } from '../deps.ts'
import { findContainer, requireState } from './find-container.ts'
import type { OpenStreams } from './open-streams.ts'

type InteractiveVerbs = Pick<
  Containers,
  'logs' | 'exec' | 'resizeExec' | 'resizeTty' | 'top' | 'stats' | 'getArchive' | 'putArchive'
>

/** Seconds a short question to an agent may take before the caller is told that the host does not answer. */
const quickCallMs = 30_000

/** What is answered by the container's host while the caller waits: checked here, then spliced through. */
export function interactiveVerbs(deps: Deps, streams: OpenStreams): InteractiveVerbs {
  return {
    async logs(caller, ref, options, signal) {
      const { container, calls } = await reach(deps, caller, ref, 'logs')
      const open = () => calls.logs({ id: container.id, ...options, until: options.until ?? null }, { signal })
      const { reply, output } = await streams.opening(caller.projectId, open, outputOf)
      return { framed: reply.framed, output: required(output) }
    },
    async exec(caller, ref, request, signal) {
      const { container, calls } = await reach(deps, caller, ref, 'execute')
      const { input, ...rest } = request
      const args = { id: container.id, ...rest, stdin: input !== null }
      const open = () => calls.exec(args, input === null ? { signal } : { signal, input })
      const { reply, output } = await streams.opening(caller.projectId, open, outputOf)
      return { execId: reply.execId, output: required(output) }
    },
    async resizeExec(caller, ref, execId, size) {
      const { container, calls } = await reach(deps, caller, ref, 'resize_tty')
      await calls.execResize({ id: container.id, execId, ...size }, quick())
    },
    async resizeTty(caller, ref, size) {
      const { container, calls } = await reach(deps, caller, ref, 'resize_tty')
      await calls.ttyResize({ id: container.id, ...size }, quick())
    },
    async top(caller, ref, psArgs) {
      const { container, calls } = await reach(deps, caller, ref, 'top')
      return (await calls.top({ id: container.id, psArgs }, quick())).reply
    },
    async stats(caller, ref) {
      const { container, calls } = await reach(deps, caller, ref, 'stats')
      return (await calls.stats({ id: container.id }, quick())).reply
    },
    async getArchive(caller, ref, path, signal) {
      const { container, calls } = await reach(deps, caller, ref, 'archive')
      const open = () => calls.archiveGet({ id: container.id, path }, { signal })
      const { reply, output } = await streams.opening(caller.projectId, open, outputOf)
      return { stat: reply, tar: required(output) }
    },
    async putArchive(caller, ref, path, tar, signal, options) {
      const { container, calls } = await reach(deps, caller, ref, 'archive')
      const put = () => calls.archivePut({ id: container.id, path, ...options }, { input: tar, signal })
      await streams.opening(caller.projectId, put, outputOf)
    },
  }
}

/** For a question that is answered at once or not at all. */
export function quick(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(quickCallMs) }
}

/** The container in the caller's scope, in a state that allows `verb`, and a line to its host. */
export async function reach(
  deps: Deps,
  caller: Caller,
  ref: string,
  verb: Verb,
): Promise<{ container: Container; calls: AgentCalls }> {
  const container = await findContainer(deps.store, caller, ref)
  requireState(container, verb)
  return { container, calls: lineTo(deps, container) }
}

/** A line to the host that the container is on. Throws `container.no-host`, or `host.unreachable`. */
export function lineTo(deps: Deps, { hostId, name, observed, projectId }: Container): AgentCalls {
  if (hostId === null || observed.engine === null) throw new Fault('container.no-host', { ref: name })
  return deps.pace.calls(projectId, deps.links.calls(hostId))
}

export function outputOf({ output }: { readonly output: Readable | null }): Readable | null {
  return output
}

export function required(output: Readable | null): Readable {
  if (output) return output
  throw new Fault('internal', { reference: 'the host sent no stream' })
}
