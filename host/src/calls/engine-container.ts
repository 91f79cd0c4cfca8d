import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { ContainerId } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { isStatus } from '../engine/engine-error.ts'
import { pathStatFrom, rethrowPath } from './archive.ts'
import { type CallContext, onContainer } from './call-context.ts'

type EngineContainerCalls = Pick<
  AgentCalls,
  | 'inspect'
  | 'hijack'
  | 'execPrepare'
  | 'execRun'
  | 'execLook'
  | 'execSize'
  | 'statsFlow'
  | 'changes'
  | 'export'
  | 'archiveStat'
>

/** What the engine says of one container of ours, handed on as it is. */
export function engineContainerCalls(context: CallContext): EngineContainerCalls {
  const { raw } = context.engine
  return {
    inspect: ({ id, size }, { signal }) =>
      onContainer(context, 'inspect', id, signal, async (engineId) => ({
        reply: { found: await raw.inspect(engineId, size, signal) },
        output: null,
      })),
    hijack: ({ id, detachKeys, ...query }, { signal, input }) =>
      onContainer(context, 'attach to', id, signal, async (engineId) => {
        const { Config } = await context.engine.containers.inspect(engineId, signal)
        const keys = detachKeys === null ? {} : { detachKeys }
        const socket = await raw.attach(engineId, { ...query, ...keys }, signal)
        return { reply: { tty: Config.Tty }, output: spliced(socket, input) }
      }),
    statsFlow: ({ id, stream, oneShot }, { signal }) =>
      onContainer(context, 'measure', id, signal, async (engineId) => ({
        reply: {},
        output: await raw.stats(engineId, { stream, oneShot }, signal),
      })),
    changes: ({ id }, { signal }) =>
      onContainer(context, 'compare', id, signal, async (engineId) => ({
        reply: { changes: [...((await raw.changes(engineId, signal)) ?? [])] },
        output: null,
      })),
    export: ({ id }, { signal }) =>
      onContainer(context, 'export', id, signal, async (engineId) => ({
        reply: {},
        output: await raw.export(engineId, signal),
      })),
    archiveStat: ({ id, path }, { signal }) =>
      onContainer(context, 'look into', id, signal, async (engineId) => ({
        reply: pathStatFrom(await raw.archiveHead(engineId, path, signal).catch(rethrowPath(id, path))),
        output: null,
      })),
    ...execCallsOf(context),
  }
}

function execCallsOf(
  context: CallContext,
): Pick<EngineContainerCalls, 'execPrepare' | 'execRun' | 'execLook' | 'execSize'> {
  const { raw, execs } = context.engine
  /** The engine knows execs by their id alone; only one of this container is meant. */
  const found = async (id: ContainerId, engineId: string, execId: string, signal: AbortSignal) => {
    const exec = await raw.execInspect(execId, signal).catch((error: unknown) => {
      throw isStatus(error, 404) ? new Fault('container.exec-not-found', { exec: execId, ref: id }, error) : error
    })
    if (exec['ContainerID'] !== engineId) throw new Fault('container.exec-not-found', { exec: execId, ref: id })
    return exec
  }
  return {
    execPrepare: ({ id, config }, { signal }) =>
      onContainer(context, 'execute in', id, signal, async (engineId) => ({
        reply: { execId: (await raw.execCreate(engineId, plainExec(config), signal)).Id },
        output: null,
      })),
    execRun: ({ id, execId, detach, tty, consoleSize }, { signal, input }) =>
      onContainer(context, 'execute in', id, signal, async (engineId) => {
        await found(id, engineId, execId, signal)
        if (detach) {
          input?.resume()
          await raw.execStartDetached(execId, tty, signal)
          return { reply: { tty }, output: null }
        }
        const size = consoleSize === null ? {} : { ConsoleSize: consoleSize }
        const socket = await raw.execStart(execId, { Detach: false, Tty: tty, ...size }, signal)
        return { reply: { tty }, output: spliced(socket, input) }
      }),
    execLook: ({ id, execId }, { signal }) =>
      onContainer(context, 'look at a command in', id, signal, async (engineId) => ({
        reply: { found: await found(id, engineId, execId, signal) },
        output: null,
      })),
    execSize: ({ id, execId, rows, columns }, { signal }) =>
      onContainer(context, 'resize a terminal of', id, signal, async (engineId) => {
        await found(id, engineId, execId, signal)
        await execs.resize(execId, rows, columns, signal)
        return { reply: {}, output: null }
      }),
  }
}

/** Engines read any spelling, so only these are handed on. What is privileged was refused before, and is here once more. */
const execFields: readonly string[] = [
  'AttachStderr',
  'AttachStdin',
  'AttachStdout',
  'Cmd',
  'DetachKeys',
  'Env',
  'Tty',
  'User',
  'WorkingDir',
]

function plainExec(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isPrivileged = ([name, value]: [string, unknown]) => name.toLowerCase() === 'privileged' && value !== false
  if (Object.entries(config).some(isPrivileged)) {
    throw new Fault('policy.field', { field: 'Privileged', reason: 'it is what the container was not given' })
  }
  return Object.fromEntries(Object.entries(config).filter(([name]) => execFields.includes(name)))
}

/** The caller's bytes to the engine, and its end as a half close; the connection itself is the output. */
function spliced(socket: Socket, input: Readable | undefined): Readable {
  // Whoever reads it hears of it too; this keeps a late one from ending the process.
  socket.on('error', () => undefined)
  if (input) {
    input.on('error', () => socket.destroy())
    input.pipe(socket)
    socket.on('close', () => input.unpipe(socket))
  }
  // The process has ended: what is still typed has nowhere to go.
  socket.on('end', () => socket.end())
  return socket
}
