import { assertNever } from '@gantry/kernel'
import type { Container } from '@gantry/model'
import { spanInWords } from './spans.ts'

/** How the engine's API writes "never". */
export const never = '0001-01-01T00:00:00Z'

export type StateWord = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

/** The API's word for what a container does. */
function stateWord({ status }: Pick<Container, 'status'>): StateWord {
  switch (status) {
    case 'Creating':
    case 'Created':
    case 'Rebuilding':
    case 'Error':
      return 'created'
    case 'Running':
    // Its host is silent; what it was told last is the best that is known.
    case 'Unknown':
      return 'running'
    case 'Paused':
      return 'paused'
    case 'Restarting':
      return 'restarting'
    case 'Deleting':
    case 'Deleted':
      return 'removing'
    case 'Stopped':
      return 'exited'
    case 'Dead':
      return 'dead'
    default:
      return assertNever(status, 'status')
  }
}

/** One that was started once and could not be started again is not new. */
export function stateOf(container: Container): StateWord {
  const word = stateWord(container)
  const { engine } = container.observed
  return word === 'created' && engine !== null && engine.startedAt !== null && engine.state !== 'created'
    ? 'exited'
    : word
}

/** `Up 3 minutes (healthy)`, `Exited (0) 5 seconds ago` … */
export function statusText(container: Container, nowMs: number): string {
  const { engine } = container.observed
  const since = (moment: string | null | undefined) =>
    spanInWords(Math.max(0, nowMs - Date.parse(moment ?? never)) / 1000)
  const state = stateOf(container)
  switch (state) {
    case 'created':
      return 'Created'
    case 'running':
      return `Up ${since(engine?.startedAt)}${healthText(engine?.health)}`
    case 'paused':
      return `Up ${since(engine?.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${engine?.exitCode ?? 0}) ${since(engine?.finishedAt)} ago`
    case 'removing':
      return 'Removal In Progress'
    case 'exited':
      return `Exited (${engine?.exitCode ?? 0}) ${since(engine?.finishedAt)} ago`
    case 'dead':
      return 'Dead'
    default:
      return assertNever(state, 'state')
  }
}

function healthText(health: 'starting' | 'healthy' | 'unhealthy' | null | undefined): string {
  if (!health) return ''
  return health === 'starting' ? ' (health: starting)' : ` (${health})`
}
