import type { Caller, Container, Nic } from '@gantry/model'
import type { Containers } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import { changeWish, type WishChange } from './change-wish.ts'
import { findContainer } from './find-container.ts'
import { publishAhead, publishPorts } from './publish.ts'

/** Start, stop, reboot, pause, unpause: verbs that only change how the container should be. */
export function powerVerbs(deps: Deps): Pick<Containers, 'start' | 'stop' | 'reboot' | 'pause' | 'unpause'> {
  const published = async (
    caller: Caller,
    tables: Tables,
    container: Container,
    made?: readonly Nic[],
  ): Promise<Partial<WishChange>> => {
    const nics = await publishPorts(deps, tables, caller, container, made)
    return nics === container.nics ? {} : { rest: { nics }, rewired: true }
  }
  /** Runs `write` with what another service, if there is one, must do first for what the container publishes. */
  const publishing = async (
    caller: Caller,
    ref: string,
    write: (made?: readonly Nic[]) => Promise<Container>,
  ): Promise<Container> => {
    if (!deps.networks.remote) return write()
    return write(await publishAhead(deps, caller, await findContainer(deps.store, caller, ref)))
  }
  return {
    start: (caller, ref) =>
      publishing(caller, ref, (made) =>
        changeWish(deps, caller, ref, 'start', async (container, tables) => ({
          action: 'start',
          task: 'container_starting',
          wish: {
            power: { kind: 'running', since: startedAt(container), bounce: false, graceSeconds: 0 },
            paused: false,
          },
          ...(await published(caller, tables, container, made)),
        })),
      ),
    stop: (caller: Caller, ref, { graceSeconds }) =>
      changeWish(deps, caller, ref, 'stop', () => ({
        action: 'stop',
        task: 'container_stopping',
        wish: { power: { kind: 'stopped', graceSeconds }, paused: false },
      })),
    reboot: (caller, ref, { graceSeconds }) =>
      publishing(caller, ref, (made) =>
        changeWish(deps, caller, ref, 'reboot', async (container, tables) => ({
          action: 'reboot',
          task: 'container_rebooting',
          wish: { power: { kind: 'running', since: startedAt(container), bounce: true, graceSeconds }, paused: false },
          ...(await published(caller, tables, container, made)),
        })),
      ),
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
