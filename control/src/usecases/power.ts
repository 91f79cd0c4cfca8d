import type { Caller, Container } from '@gantry/model'
import type { Containers } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import { changeWish, type WishChange } from './change-wish.ts'
import { publishPorts } from './publish.ts'

/** Start, stop, reboot, pause, unpause: verbs that only change how the container should be. */
export function powerVerbs(deps: Deps): Pick<Containers, 'start' | 'stop' | 'reboot' | 'pause' | 'unpause'> {
  const published = async (tables: Tables, caller: Caller, container: Container): Promise<Partial<WishChange>> => {
    const nics = await publishPorts(deps, tables, caller, container)
    return nics === container.nics ? {} : { rest: { nics }, rewired: true }
  }
  return {
    start: (caller, ref) =>
      changeWish(deps, caller, ref, 'start', async (container, tables) => ({
        action: 'start',
        task: 'container_starting',
        wish: {
          power: { kind: 'running', since: startedAt(container), bounce: false, graceSeconds: 0 },
          paused: false,
        },
        ...(await published(tables, caller, container)),
      })),
    stop: (caller: Caller, ref, { graceSeconds }) =>
      changeWish(deps, caller, ref, 'stop', () => ({
        action: 'stop',
        task: 'container_stopping',
        wish: { power: { kind: 'stopped', graceSeconds }, paused: false },
      })),
    reboot: (caller, ref, { graceSeconds }) =>
      changeWish(deps, caller, ref, 'reboot', async (container, tables) => ({
        action: 'reboot',
        task: 'container_rebooting',
        wish: { power: { kind: 'running', since: startedAt(container), bounce: true, graceSeconds }, paused: false },
        ...(await published(tables, caller, container)),
      })),
    pause: (caller, ref) =>
      changeWish(deps, caller, ref, 'pause', () => ({
        action: 'pause',
        task: 'container_pausing',
        wish: { paused: true },
      })),
    unpause: (caller, ref) =>
      changeWish(deps, caller, ref, 'unpause', () => ({
        action: 'unpause',
        task: 'container_unpausing',
        wish: { paused: false },
      })),
  }
}

/** The engine's start time in the user's view of the container: see `Power`. */
function startedAt(container: Container): string | null {
  const engine = container.observed.engine
  return engine && engine.generation === container.wish.generation ? engine.startedAt : null
}
