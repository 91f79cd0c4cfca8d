import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { EngineVerbs, PolicyVerbs } from '../engine-verbs.ts'
import type { Deps } from '../deps.ts'
import { findContainer } from './find-container.ts'
import { lineTo, outputOf, quick, required } from './interact.ts'
import type { OpenStreams } from './open-streams.ts'

/** Answered by the engine in its own words: found in the caller's project, judged, then spliced through. */
export function engineVerbs(deps: Deps, streams: OpenStreams, policy: PolicyVerbs): EngineVerbs {
  const line = async (caller: Caller, ref: string) => {
    const container = await findContainer(deps.store, caller, ref)
    return { container, calls: lineTo(deps, container) }
  }
  return {
    async inspect(caller, ref, { size }) {
      const container = await findContainer(deps.store, caller, ref)
      try {
        return (await lineTo(deps, container).inspect({ id: container.id, size }, quick())).reply.found
      } catch (error) {
        if (error instanceof Fault && unknownNow.includes(error.code)) return null
        throw error
      }
    },
    async attach(caller, ref, options, input, signal) {
      const { container, calls } = await line(caller, ref)
      const open = () => calls.hijack({ id: container.id, ...options }, input ? { signal, input } : { signal })
      const { reply, output } = await streams.opening(caller.projectId, open, outputOf)
      deps.activity.ofContainer(container, 'attach', {})
      return { tty: reply.tty, output }
    },
    async execCreate(caller, ref, config) {
      policy.judge(caller, { kind: 'exec', config })
      const { container, calls } = await line(caller, ref)
      const { reply } = await calls.execPrepare({ id: container.id, config }, quick())
      deps.activity.ofContainer(container, `exec_create: ${commandOf(config)}`, { execID: reply.execId })
      return reply.execId
    },
    async execStart(caller, id, execId, { detach, tty, consoleSize }, input, signal) {
      const { container, calls } = await line(caller, id)
      const args = { id, execId, detach, tty, consoleSize: consoleSize && ([...consoleSize] as [number, number]) }
      const open = () => calls.execRun(args, input ? { signal, input } : { signal })
      const { reply, output } = await streams.opening(caller.projectId, open, outputOf)
      deps.activity.ofContainer(container, 'exec_start', { execID: execId })
      return { tty: reply.tty, output }
    },
    async execInspect(caller, id, execId) {
      const { calls } = await line(caller, id)
      return (await calls.execLook({ id, execId }, quick())).reply.found
    },
    async execResize(caller, id, execId, size) {
      const { calls } = await line(caller, id)
      await calls.execSize({ id, execId, ...size }, quick())
    },
    async stats(caller, ref, options, signal) {
      const { container, calls } = await line(caller, ref)
      const open = () => calls.statsFlow({ id: container.id, ...options }, { signal })
      return required((await streams.opening(caller.projectId, open, outputOf)).output)
    },
    async changes(caller, ref) {
      const { container, calls } = await line(caller, ref)
      return (await calls.changes({ id: container.id }, quick())).reply.changes
    },
    async export(caller, ref, signal) {
      const { container, calls } = await line(caller, ref)
      const open = () => calls.export({ id: container.id }, { signal })
      const { output } = await streams.opening(caller.projectId, open, outputOf)
      deps.activity.ofContainer(container, 'export', {})
      return required(output)
    },
    async archiveStat(caller, ref, path) {
      const { container, calls } = await line(caller, ref)
      return (await calls.archiveStat({ id: container.id, path }, quick())).reply
    },
  }
}

const unknownNow: readonly string[] = ['container.no-host', 'host.unreachable', 'engine.unreachable']

function commandOf({ Cmd: command }: Readonly<Record<string, unknown>>): string {
  return Array.isArray(command) ? command.join(' ').slice(0, 256) : ''
}
