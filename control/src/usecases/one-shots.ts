import { reasonOf } from '@gantry/kernel'
import type { Action, ActionId, ActionName, Caller, Container } from '@gantry/model'
import type { Containers } from '../control.ts'
import type { Deps } from '../deps.ts'
import { projectLock, type Tables } from '../ports/store.ts'
import { endBuildsLeft } from './engine-images/build-sandbox.ts'
import { commitTo, hostOf } from './engine-images/commit.ts'
import { newName } from './engine-images/names.ts'
import { addPending, finishImage, newEngineRef, queueInterrupted } from './engine-images/pending-images.ts'
import { requireOwnLife } from './find-container.ts'
import { reach } from './interact.ts'
import { normaliseSignal } from './signals.ts'

const killTimeoutMs = 30_000

/**
 * Verbs that happen once and leave no wish behind. The action is written first; if its server dies in between, another
 * finds it unfinished and says so (`endInterrupted`), rather than sending a signal a second time.
 */
export function oneShotVerbs(deps: Deps): Pick<Containers, 'kill' | 'commit'> {
  return {
    async kill(caller, ref, signal, { wait = false } = {}) {
      const normal = normaliseSignal(signal)
      const { container, calls } = await reach(deps, caller, ref, 'kill')
      requireOwnLife(container)
      const action = await deps.store.transaction((tables) => addAction(deps, tables, caller, container, 'kill'))
      const delivered = carryOut(deps, action, async () => {
        await calls.kill({ id: container.id, signal: normal }, { signal: AbortSignal.timeout(killTimeoutMs) })
        deps.activity.ofContainer(container, 'kill', { signal: normal })
      })
      if (wait) await delivered.then(throwIfFailed)
      return container
    },
    async commit(caller, ref, repository, tag) {
      const name = newName(repository, tag)
      const { container, calls } = await reach(deps, caller, ref, 'commit')
      const pending = { hostId: hostOf(container), engineRef: newEngineRef(deps, caller) }
      const { action, image } = await deps.store.transaction(async (tables) => ({
        action: await addAction(deps, tables, caller, container, 'commit'),
        image: await addPending(deps, tables, caller, pending, name),
      }))
      const finish = () => finishImage(deps, caller, image, name)
      void carryOut(deps, action, async () => {
        await commitTo(deps, calls, image, { id: container.id }, finish)
      })
      return { ...image, ...name }
    },
  }
}

/** Ends what servers left that are no more. An image that a host was to give is asked for when that is connected. May be repeated. */
export async function endInterrupted(deps: Deps): Promise<void> {
  const alive = (await deps.cluster.members()).map(({ id }) => id)
  const { actions, duties } = deps.store
  // In this order, or what begins in between would be taken for left; what ends in between is not ended twice.
  const unfinished = await actions.unfinishedCalls()
  const held = await duties.heldBy('call', alive)
  for (const { id } of unfinished) {
    const error = 'The server was restarted while this was under way; ask again if it did not happen.'
    if (!held.has(id)) await actions.finish(id, deps.clock.now(), error)
  }
  await queueInterrupted(deps, alive)
  await endBuildsLeft(deps, alive)
  await duties.keepOnly(alive)
}

/** Answers what it threw; it never throws itself, because mostly nobody waits. */
async function carryOut(deps: Deps, action: Action, work: () => Promise<void>): Promise<unknown> {
  const thrown = await work().then(
    () => null,
    (error: unknown) => error ?? new Error('unknown'),
  )
  const failure = thrown === null ? null : reasonOf(thrown)
  const now = deps.clock.now()
  deps.gauges.settled(action.name, (now - action.startedAt) / 1000, failure !== null)
  if (failure !== null) {
    deps.log.warn(
      { container: action.containerId, action: action.name, requestId: action.requestId, failure },
      'action failed',
    )
  }
  await deps.store
    .transaction(
      async (tables) => {
        await tables.actions.finish(action.id, now, failure)
        await tables.duties.end('call', action.id)
      },
      [projectLock(action.projectId)],
    )
    .catch((error: unknown) =>
      deps.log.error({ action: action.id, reason: reasonOf(error) }, 'action could not be ended'),
    )
  return thrown
}

function throwIfFailed(thrown: unknown): void {
  if (thrown !== null) throw thrown
}

async function addAction(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  container: Container,
  name: ActionName,
): Promise<Action> {
  const action: Action = {
    id: deps.ids.uuid() as ActionId,
    containerId: container.id,
    projectId: container.projectId,
    userId: caller.userId,
    requestId: caller.requestId,
    name,
    wishVersion: null,
    startedAt: deps.clock.now(),
    finishedAt: null,
    error: null,
  }
  await tables.actions.insert(action)
  await tables.duties.begin('call', action.id, deps.cluster.self)
  return action
}
