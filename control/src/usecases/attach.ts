import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { Container, ProjectId } from '@gantry/model'
import type { Containers, LogStream } from '../control.ts'
import type { Deps } from '../deps.ts'
import { findContainer, requireState } from './find-container.ts'
import { lineTo, outputOf, required } from './interact.ts'
import type { OpenStreams } from './open-streams.ts'

/** Whoever attaches to a container that is younger is shown what it wrote before: its user waits for the first lines. */
const freshMs = 10_000

export function attachVerb(deps: Deps, streams: OpenStreams): Pick<Containers, 'attach'> {
  return {
    async attach(caller, ref, input, signal) {
      const container = await findContainer(deps.store, caller, ref)
      requireAttachable(container)
      return openAttach(deps, streams, { container, projectId: caller.projectId, input, signal })
    },
  }
}

/** Throws `container.not-interactive` or `container.state`. */
export function requireAttachable(container: Container): void {
  if (!container.spec.interactive) throw new Fault('container.not-interactive', { ref: container.name })
  requireState(container, 'attach')
}

export interface AttachRequest {
  readonly container: Container
  /** Whose stream it counts as. */
  readonly projectId: ProjectId
  /** null: look on only. */
  readonly input: Readable | null
  readonly signal: AbortSignal
}

/** The stream from the container's host. What it takes to be allowed it has been checked by the caller. */
export async function openAttach(
  deps: Deps,
  streams: OpenStreams,
  { container, projectId, input, signal }: AttachRequest,
): Promise<LogStream> {
  const args = { id: container.id, stdin: input !== null, history: isFresh(deps, container) }
  const calls = lineTo(deps, container)
  const open = () => calls.attach(args, input === null ? { signal } : { signal, input })
  const { reply, output } = await streams.opening(projectId, open, outputOf)
  return { framed: reply.framed, output: required(output) }
}

function isFresh({ clock }: Deps, { observed }: Container): boolean {
  const startedAt = Date.parse(observed.engine?.startedAt ?? '')
  return clock.now() - startedAt < freshMs
}
