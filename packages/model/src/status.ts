import { assertNever } from '@gantry/kernel'
import type { Container, Status, Task } from './container.ts'
import type { EngineContainer, EngineState } from './observed.ts'

type StatusInput = Pick<Container, 'wish' | 'task' | 'placementFailure' | 'observed' | 'hostLost'>

export interface StatusView {
  readonly status: Status
  readonly reason: string | null
  readonly task: Task | null
}

/** The one place where a status is decided: from the wish, what is observed, and what went wrong. Pure. */
export function statusOf(container: StatusInput): StatusView {
  const { wish, observed } = container
  const pending = observed.settled < wish.version
  const task = pending ? container.task : null
  if (wish.gone) return { status: 'Deleting', reason: null, task: 'container_deleting' }
  if (container.placementFailure !== null) {
    return { status: 'Error', reason: container.placementFailure, task: null }
  }
  if (container.hostLost) {
    return { status: 'Unknown', reason: 'The agent on its host does not answer; its state is not known.', task }
  }
  const engine = observed.engine
  if (pending) return { status: pendingStatus(container, engine), reason: null, task }
  if (observed.failure && failureCounts(observed.failure.step, engine)) {
    return { status: 'Error', reason: observed.failure.reason, task: null }
  }
  if (!engine) return { status: 'Error', reason: 'The engine of its host does not know this container.', task: null }
  return { status: engineStatus(engine.state), reason: observed.failure?.reason ?? reasonOfEnd(engine), task: null }
}

function pendingStatus({ wish, task }: StatusInput, engine: EngineContainer | null): Status {
  if (task === 'container_creating') return 'Creating'
  if (task === 'container_rebuilding') return 'Rebuilding'
  if (task === 'container_rebooting') return 'Restarting'
  if (!engine || engine.generation < wish.generation) return 'Creating'
  return engineStatus(engine.state)
}

/** A failed pause of a running container does not make it an Error: it still runs. */
function failureCounts(step: string, engine: EngineContainer | null): boolean {
  if (!engine || engine.state === 'dead') return true
  return engine.state !== 'running' && engine.state !== 'paused' && ['pull', 'create', 'start'].includes(step)
}

function engineStatus(state: EngineState): Status {
  switch (state) {
    case 'created':
      return 'Created'
    case 'running':
      return 'Running'
    case 'paused':
      return 'Paused'
    case 'restarting':
      return 'Restarting'
    case 'exited':
    case 'removing':
      return 'Stopped'
    case 'dead':
      return 'Dead'
    default:
      return assertNever(state, 'engine state')
  }
}

function reasonOfEnd(engine: EngineContainer): string | null {
  if (engine.state !== 'exited') return null
  if (engine.oomKilled) return 'It was ended because it used more memory than its limit.'
  return engine.error === '' ? null : engine.error
}
