import { Fault } from '@gantry/kernel'
import type { Container, ContainerId } from '@gantry/model'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { carry, type StreamRequest } from './attach.ts'
import type { DockerContext, Identity } from './context.ts'
import { Refusal } from './errors.ts'
import { execOf } from './ids.ts'

const ExecStart = Compile(
  Type.Object({
    Detach: Type.Optional(Type.Boolean()),
    Tty: Type.Optional(Type.Boolean()),
    ConsoleSize: Type.Optional(Type.Union([Type.Null(), Type.Tuple([Type.Integer(), Type.Integer()])])),
  }),
)

export interface ExecOptions {
  readonly detach: boolean
  readonly tty: boolean
  readonly consoleSize: readonly [number, number] | null
}

/** Throws `request.invalid`. An absent body means all defaults. */
export function execOptionsOf(body: unknown): ExecOptions {
  const value = body ?? {}
  if (!ExecStart.Check(value)) throw new Fault('request.invalid', { problem: 'The options of the exec are not valid.' })
  const { Detach = false, Tty = false, ConsoleSize } = value
  const sized = ConsoleSize && (ConsoleSize[0] > 0 || ConsoleSize[1] > 0)
  return { detach: Detach, tty: Tty, consoleSize: sized ? ConsoleSize : null }
}

/** `POST /exec/{id}/start`, attached. */
export async function execStream(
  asked: StreamRequest & { readonly execId: string; readonly body: string },
): Promise<void> {
  const { docker, identity, connection, execId, minor } = asked
  const options = execOptionsOf(parsed(asked.body))
  const { id, engineExecId } = await findExec(docker, identity, execId)
  const { input, signal } = connection
  const { tty, output } = await docker.control.engine.execStart(
    identity.caller,
    id,
    engineExecId,
    options,
    options.detach ? null : input,
    signal,
  )
  await carry(asked, tty, output, minor)
  if (output === null) connection.end(new Error('detached'))
}

function parsed(text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Fault('request.invalid', { problem: 'The request body is not valid JSON.' }, error)
  }
}

/** The exec's container, in the caller's project; what is another's is not there. */
export async function findExec(
  { control }: DockerContext,
  { caller }: Pick<Identity, 'caller'>,
  execId: string,
): Promise<{ readonly id: ContainerId; readonly engineExecId: string; readonly container: Container }> {
  const missing = new Refusal(404, `No such exec instance: ${execId}`)
  const exec = execOf(execId)
  if (!exec) throw missing
  const container = await control.containers.get(caller, exec.containerId).catch((error: unknown) => {
    throw error instanceof Fault && error.code === 'container.not-found' ? missing : error
  })
  return { id: container.id, engineExecId: exec.engineExecId, container }
}
