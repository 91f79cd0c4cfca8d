import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { PassThrough, type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault } from '@gantry/kernel'
import type { ContainerId } from '@gantry/model'
import { type AgentCalls, encodeFrame, frameKinds } from '@gantry/wire'
import { isStatus } from '../engine/engine-error.ts'
import { type CallContext, faultOf, onContainer } from './call-context.ts'
import type { ExecEnd } from './exec-ends.ts'

/** The execs under way and whose they are, for resizing. */
type Running = Map<string, ContainerId>

/** Runs commands in containers. No limit on how long one may take; it ends with the caller's signal. */
export function execCalls(context: CallContext): Pick<AgentCalls, 'exec' | 'execResize'> {
  const running: Running = new Map()
  const { execs } = context.engine
  return {
    exec: (args, { signal, input }) =>
      onContainer(context, 'execute in', args.id, signal, async (engineId) => {
        const { Id: execId } = await execs.create(
          engineId,
          {
            Cmd: args.command,
            Env: Object.entries(args.environment).map(([name, value]) => `${name}=${value}`),
            ...(args.workdir !== null && { WorkingDir: args.workdir }),
            ...(args.user !== null && { User: args.user }),
            Tty: args.tty,
            AttachStdin: args.stdin,
            AttachStdout: true,
            AttachStderr: true,
          },
          signal,
        )
        const end = context.ends.wait(execId)
        const socket = await execs.start(execId, args.tty, signal).catch((error: unknown) => {
          end.forget()
          throw error
        })
        // Whoever reads or writes it hears of it too; this keeps a late one from ending the process.
        socket.on('error', () => undefined)
        running.set(execId, args.id)
        if (args.stdin && input) feed(input, socket)
        else socket.end()
        const output = new PassThrough()
        void carry(context, { execId, engineId, tty: args.tty, end }, socket, output, signal).finally(() => {
          end.forget()
          running.delete(execId)
        })
        return { reply: { execId }, output }
      }),
    execResize: ({ id, execId, rows, columns }, { signal }) =>
      onContainer(context, 'resize a terminal of', id, signal, async () => {
        const unknown = new Fault('container.exec-not-found', { exec: execId, ref: id })
        if (running.get(execId) !== id) throw unknown
        try {
          await execs.resize(execId, rows, columns, signal)
        } catch (error) {
          throw isStatus(error, 404) ? unknown : error
        }
        return { reply: {}, output: null }
      }),
  }
}

/** The caller's bytes to the command's stdin; the end of one is the end of the other. */
function feed(input: Readable, socket: Socket): void {
  // A command that ends without reading its stdin closes the socket: no mishap.
  input.on('error', () => socket.destroy())
  input.pipe(socket)
  socket.on('close', () => input.unpipe(socket))
}

interface Exec {
  readonly execId: string
  readonly engineId: string
  readonly tty: boolean
  readonly end: ExecEnd
}

/** The command's output to the caller, then a frame with its exit code. */
async function carry(
  context: CallContext,
  exec: Exec,
  socket: Socket,
  output: PassThrough,
  signal: AbortSignal,
): Promise<void> {
  try {
    const stages = exec.tty ? [socket, framing(), output] : [socket, output]
    await pipeline(stages as [Socket, PassThrough], { signal, end: false })
    // Its stdin may still be open at this end.
    socket.destroy()
    const exitCode = await exitCodeOf(context, exec, signal)
    output.end(encodeFrame(frameKinds.end, Buffer.from(JSON.stringify({ exitCode }))))
  } catch (error) {
    socket.destroy()
    const gone = signal.aborted || output.destroyed
    if (gone) await killExec(context, exec)
    const fault = faultOf(error, context.hostName, { action: 'execute in', ref: exec.engineId })
    output.destroy(fault instanceof Error ? fault : new Error(String(fault)))
  }
}

/** A terminal has one raw stream; the caller gets it as frames all the same. */
function framing(): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, encodeFrame(frameKinds.stdout, chunk)),
  })
}

/** A command may close its output long before it ends; the engine then announces the end as an event. */
async function exitCodeOf({ engine }: CallContext, { execId, end }: Exec, signal: AbortSignal): Promise<number> {
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
    const { Running, Pid } = await engine.execs.inspect(execId)
    if (!Running || Pid <= 1) return
    const groups = await readFile(`/proc/${Pid}/cgroup`, 'utf8')
    if (groups.includes(engineId)) process.kill(Pid, 'SIGKILL')
  } catch {
    // The engine, the process or the right to signal it is gone; there is nobody left to tell.
  }
}
