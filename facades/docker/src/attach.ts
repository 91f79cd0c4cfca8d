import type { DockerContext, Identity } from './context.ts'
import { Refusal } from './errors.ts'
import { isTrue } from './filters.ts'
import type { Hijacked } from './hijack.ts'

export interface StreamRequest {
  readonly docker: DockerContext
  readonly identity: Identity
  /** Minor version that the client speaks. */
  readonly minor: number
  readonly connection: Hijacked
}

/** What tells a client whether frames come; before 1.42 there was one name for both. */
export function streamType(tty: boolean, minor: number): string {
  return tty || minor < 42 ? 'application/vnd.docker.raw-stream' : 'application/vnd.docker.multiplexed-stream'
}

/** `POST /containers/{id}/attach`: the container's own streams, whatever its state. */
export async function attachStream(
  asked: StreamRequest & { readonly ref: string; readonly query: Readonly<Record<string, string | undefined>> },
): Promise<void> {
  const { docker, identity, connection, ref, query, minor } = asked
  const { caller } = identity
  const container = await docker.find(caller, ref)
  if (container.status === 'Paused') {
    throw new Refusal(409, `Container ${ref} is paused, unpause the container before attach.`)
  }
  const options = {
    stdin: isTrue(query['stdin']),
    stdout: isTrue(query['stdout']),
    stderr: isTrue(query['stderr']),
    logs: isTrue(query['logs']),
    stream: isTrue(query['stream']),
    detachKeys: query['detachKeys'] || null,
  }
  const { input, signal } = connection
  const { tty, output } = await docker.control.engine.attach(
    caller,
    container.id,
    options,
    options.stdin ? input : null,
    signal,
  )
  if (!options.stdin) input.resume()
  await carry(asked, tty, output, minor)
}

/** Answers, then carries until either side is done or the credential is revoked. */
export async function carry(
  { docker, identity, connection }: StreamRequest,
  tty: boolean,
  output: NonNullable<Awaited<ReturnType<DockerContext['control']['engine']['attach']>>['output']> | null,
  minor: number,
): Promise<void> {
  connection.accept(streamType(tty, minor))
  if (output === null) return
  const release = docker.guard.watch(identity, connection.end)
  try {
    await connection.send(output, tty)
  } finally {
    release()
  }
}
