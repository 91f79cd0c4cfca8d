import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '@gantry/kernel'
import { type AgentCalls, type CallArgs, encodeFrame, frameKinds } from '@gantry/wire'
import { isStatus } from '../engine/engine-error.ts'
import type { ExecCreate } from '../engine/engine-types.ts'
import { type CallContext, faultOf, onContainer } from './call-context.ts'
import type { ExecEnd } from './exec-ends.ts'
import { execSessions, type ExecSessions, type PreparedExec, type Size } from './exec-sessions.ts'
import { feed, framing } from './hijacked.ts'

/** How long it is waited for that a command starts whose caller has gone. */
const longestStartMs = 60_000

type ExecCalls = Pick<AgentCalls, 'exec' | 'execCreate' | 'execStart' | 'execResize'>

/** Runs commands in containers. No limit on how long one may take; it ends with the caller's signal. */
export function execCalls(context: CallContext): ExecCalls {
  const sessions = execSessions()
  const { execs } = context.engine
  return {
    exec: (args, { signal, input }) =>
      onContainer(context, 'execute in', args.id, signal, async (engineId) => {
        const { Id: execId } = await execs.create(engineId, bodyOf(args), signal)
        const prepared = { owner: args.id, tty: args.tty, stdin: args.stdin }
        const output = await run(context, sessions, { execId, engineId, prepared, size: null }, input, signal)
        return { reply: { execId }, output }
      }),
    execCreate: (args, { signal }) =>
      onContainer(context, 'execute in', args.id, signal, async (engineId) => {
        const { Id: execId } = await execs.create(engineId, bodyOf(args), signal)
        sessions.prepare(execId, { owner: args.id, tty: args.tty, stdin: args.stdin })
        return { reply: { execId }, output: null }
      }),
    execStart: ({ id, execId }, { signal, input }) =>
      onContainer(context, 'execute in', id, signal, async (engineId) => {
        const prepared = sessions.begin(id, execId)
        if (!prepared) throw new Fault('container.exec-not-found', { exec: execId, ref: id })
        const { size } = prepared
        const output = await run(context, sessions, { execId, engineId, prepared, size }, input, signal)
        return { reply: { tty: prepared.tty }, output }
      }),
    execResize: ({ id, execId, rows, columns }, { signal }) =>
      onContainer(context, 'resize a terminal of', id, signal, async () => {
        const unknown = new Fault('container.exec-not-found', { exec: execId, ref: id })
        const where = sessions.resize(id, execId, { rows, columns })
        if (where === 'unknown') throw unknown
        try {
          if (where === 'running') await execs.resize(execId, rows, columns, signal)
        } catch (error) {
          throw isStatus(error, 404) ? unknown : error
        }
        return { reply: {}, output: null }
      }),
  }
}

function bodyOf(args: CallArgs<'exec'>): ExecCreate {
  return {
    Cmd: args.command,
    Env: Object.entries(args.environment).map(([name, value]) => `${name}=${value}`),
    ...(args.workdir !== null && { WorkingDir: args.workdir }),
    ...(args.user !== null && { User: args.user }),
    Tty: args.tty,
    AttachStdin: args.stdin,
    AttachStdout: true,
    AttachStderr: true,
  }
}

interface Exec {
  readonly execId: string
  readonly engineId: string
  readonly prepared: PreparedExec
  /** Of its terminal, if it was told before the start. */
  readonly size: Size | null
}

/** Starts it and answers its output, which ends with a frame of its exit code. */
async function run(
  context: CallContext,
  sessions: ExecSessions,
  exec: Exec,
  input: Readable | undefined,
  signal: AbortSignal,
): Promise<PassThrough> {
  const { execId, prepared } = exec
  const { execs } = context.engine
  const end = context.ends.wait(execId)
  const socket = await execs.start(execId, prepared.tty, exec.size, signal).catch((error: unknown) => {
    end.forget()
    sessions.end(execId)
    // The engine may have been asked, and then it goes on.
    if (signal.aborted) void killExec(context, exec)
    throw error
  })
  // Whoever reads or writes it hears of it too; this keeps a late one from ending the process.
  socket.on('error', () => undefined)
  const size = sessions.running(execId, prepared)
  // Older engines take no size with the start; what is typed is to meet it all the same. The command may have ended by now.
  if (size) await execs.resize(execId, size.rows, size.columns, signal).catch(() => undefined)
  if (prepared.stdin && input) feed(input, socket, { end: true })
  else {
    input?.resume()
    socket.end()
  }
  // Its reader hears of an error too; one that comes before there is a reader must not end the process.
  const output = new PassThrough().on('error', () => undefined)
  void carry(context, exec, end, socket, output, signal).finally(() => {
    end.forget()
    sessions.end(execId)
  })
  return output
}

/** The command's output to the caller, then a frame with its exit code. */
async function carry(
  context: CallContext,
  exec: Exec,
  end: ExecEnd,
  socket: Socket,
  output: PassThrough,
  signal: AbortSignal,
): Promise<void> {
  try {
    const stages = exec.prepared.tty ? [socket, framing(), output] : [socket, output]
    await pipeline(stages as [Socket, PassThrough], { signal, end: false })
    // Its stdin may still be open at this end.
    socket.destroy()
    const exitCode = await exitCodeOf(context, exec.execId, end, signal)
    output.end(encodeFrame(frameKinds.end, Buffer.from(JSON.stringify({ exitCode }))))
  } catch (error) {
    socket.destroy()
    const gone = signal.aborted || output.destroyed
    const fault = faultOf(error, context.hostName, { action: 'execute in', ref: exec.engineId })
    output.destroy(fault instanceof Error ? fault : new Error(String(fault)))
    if (gone) await killExec(context, exec)
  }
}

/** A command may close its output long before it ends; the engine then announces the end as an event. */
async function exitCodeOf({ engine }: CallContext, execId: string, end: ExecEnd, signal: AbortSignal): Promise<number> {
  for (;;) {
    const { Running, ExitCode } = await engine.execs.inspect(execId, signal)
    if (!Running && ExitCode !== null) return ExitCode
    await end.announced(signal)
  }
}

/**
 * The Engine API cannot end an exec, and one whose caller has gone would run on for ever. Its process id is one of this
 * machine's when agent and engine share it, and then the kernel can: only its first process, and only when that process
 * really is in the container. Elsewhere (an engine in a virtual machine) the command is left to end by itself.
 */
async function killExec({ engine }: CallContext, { execId, engineId }: Exec): Promise<void> {
  try {
    const pid = await pidOf(engine, execId)
    if (pid === null) return
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8')
    if (groups.includes(engineId)) process.kill(pid, 'SIGKILL')
  } catch {
    // The engine, the process or the right to signal it is gone; there is nobody left to tell.
  }
}

/**
 * null: it has ended. The engine opens the connection before the command runs, and runs it although nobody is there any more; in a
 * container that has little of a processor that takes seconds, and no event tells of it.
 */
async function pidOf({ execs }: CallContext['engine'], execId: string): Promise<number | null> {
  for (let ms = 20; ms < longestStartMs; ms *= 2) {
    const { Running, Pid, ExitCode } = await execs.inspect(execId)
    if (Running && Pid > 1) return Pid
    if (!Running && ExitCode !== null) return null
    await sleep(ms)
  }
  return null
}
