import type { Socket } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault } from '@gantry/kernel'
import type { ContainerId } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import type { ContainerInspect } from '../engine/engine-types.ts'
import { type CallContext, faultOf, onContainer } from './call-context.ts'
import { feed } from './hijacked.ts'

/**
 * The container's own terminal or streams. Each caller has a connection of its own to the engine, so any number may look
 * on, and one that goes takes nothing with it: the container runs on. Its stdin stays open too, unless it was created to
 * end with the first one that ends its own (`stdinOnce`).
 */
export function attachCall(context: CallContext): AgentCalls['attach'] {
  return ({ id, stdin, history }, { signal, input }) =>
    onContainer(context, 'attach to', id, signal, async (engineId) => {
      const { Config } = mustRun(await context.engine.containers.inspect(engineId, signal), id)
      const { Tty, OpenStdin = false, StdinOnce = false } = Config
      const takesInput = stdin && OpenStdin
      const { socket, before } = await connect(context, { id, engineId, stdin: takesInput, history }, signal)
      // Where stdin outlives the caller's, half a connection would make the engine close the output as well.
      if (takesInput && input) feed(input, socket, { end: StdinOnce && !Tty })
      else input?.resume()
      // Its reader hears of an error too; one that comes before there is a reader must not end the process.
      const output = new PassThrough().on('error', () => undefined)
      carry(before, socket, output, signal)
        .catch((error: unknown) => {
          const fault = faultOf(error, context.hostName, { action: 'attach to', ref: id })
          output.destroy(fault instanceof Error ? fault : new Error(String(fault)))
        })
        .finally(() => socket.destroy())
      return { reply: { framed: !Tty }, output }
    })
}

interface Asked {
  readonly id: ContainerId
  readonly engineId: string
  readonly stdin: boolean
  readonly history: boolean
}

/** The connection; `before`: what was written until now, where the engine does not tell it on the connection. */
async function connect(
  { engine }: CallContext,
  { id, engineId, stdin, history }: Asked,
  signal: AbortSignal,
): Promise<{ socket: Socket; before: Readable | null }> {
  const { containers } = engine
  const fromLog = history && (await engine.isPodman())
  const socket = await containers.attach(engineId, { stdin, history: history && !fromLog }, signal)
  // Whoever reads or writes it hears of it too; this keeps a late one from ending the process.
  socket.on('error', () => undefined)
  try {
    // An engine lets one attach to a container that has just ended, and keeps silent until it is started again.
    mustRun(await containers.inspect(engineId, signal), id)
    return { socket, before: fromLog ? await containers.logs(engineId, wholeLog, signal) : null }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Podman counts wrongly in the frames of its own history; what its log says is right. */
const wholeLog = { stdout: true, stderr: true, timestamps: false, follow: false, tail: null, since: null, until: null }

async function carry(before: Readable | null, socket: Socket, output: PassThrough, signal: AbortSignal): Promise<void> {
  if (before) await pipeline(before, output, { signal, end: false })
  await pipeline(socket, output, { signal })
}

function mustRun(container: ContainerInspect, ref: string): ContainerInspect {
  const { Running, Status } = container.State
  if (Running) return container
  throw new Fault('container.state', { action: 'attach to', ref, status: Status, allowed: 'Running' })
}
