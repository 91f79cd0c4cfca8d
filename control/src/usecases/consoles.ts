import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { Caller, Container } from '@gantry/model'
import type { Consoles, ConsoleTarget, LogStream } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { ConsoleSession } from '../ports/console-table.ts'
import { openAttach, requireAttachable } from './attach.ts'
import { findContainer, requireState } from './find-container.ts'
import { lineTo, outputOf, quick, required } from './interact.ts'
import type { OpenStreams } from './open-streams.ts'

/** A client connects at once; the time is for slow networks, not for people. */
const tokenLivesMs = 60_000
const tokenBytes = 32

/**
 * Interactive sessions for clients whose only credential is a token in an address. It is random, opens one session of one
 * container once, soon, and only its hash is kept.
 */
export function consoleVerbs(deps: Deps, streams: OpenStreams): Consoles {
  return {
    async open(caller, ref, target) {
      const container = await findContainer(deps.store, caller, ref)
      const execId = await prepare(deps, container, target)
      const token = deps.ids.hex(tokenBytes)
      const now = deps.clock.now()
      await deps.store.consoles.insert(sessionOf(caller, container, execId, token, now), now)
      return { token, containerId: container.id, execId }
    },
    async connect({ token, containerId, execId }, input, signal) {
      const now = deps.clock.now()
      const session = await deps.store.consoles.redeem(hashOf(token), now)
      const fits = session?.containerId === containerId && session.execId === execId && session.expiresAt > now
      if (!session || !fits) throw new Fault('console.refused')
      // A minute is long enough for it to be deleted or to end.
      const container = await deps.store.containers.get(session.containerId)
      if (!container) throw new Fault('console.refused')
      return begin(deps, streams, { session, container, input, signal })
    },
  }
}

/** Checks as the session's start will; a command is made ready on the container's host. */
async function prepare(deps: Deps, container: Container, target: ConsoleTarget): Promise<string | null> {
  if (target.kind === 'attach') {
    requireAttachable(container)
    lineTo(deps, container)
    return null
  }
  requireState(container, 'execute')
  const { command, tty } = target
  const plain = { environment: {}, workdir: null, user: null }
  const args = { id: container.id, command: [...command], tty, stdin: tty, ...plain }
  return (await lineTo(deps, container).execCreate(args, quick())).reply.execId
}

function sessionOf(
  { projectId, userId }: Caller,
  { id: containerId }: Container,
  execId: string | null,
  token: string,
  now: number,
): ConsoleSession {
  return { tokenHash: hashOf(token), containerId, projectId, userId, execId, expiresAt: now + tokenLivesMs }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

interface Beginning {
  readonly session: ConsoleSession
  readonly container: Container
  readonly input: Readable
  readonly signal: AbortSignal
}

async function begin(deps: Deps, streams: OpenStreams, beginning: Beginning): Promise<LogStream> {
  const { session, container, input, signal } = beginning
  const { projectId, execId } = session
  if (execId === null) {
    requireAttachable(container)
    return openAttach(deps, streams, { container, projectId, input, signal })
  }
  requireState(container, 'execute')
  const calls = lineTo(deps, container)
  const open = () => calls.execStart({ id: container.id, execId }, { signal, input })
  const { output } = await streams.opening(projectId, open, outputOf)
  return { framed: true, output: required(output) }
}
