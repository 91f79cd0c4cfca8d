import { Fault, reasonOf } from '@gantry/kernel'
import type { Action, ActionId, ActionName, Caller, Container, Image, ImageId } from '@gantry/model'
import type { Containers } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import { endBuildsLeft } from './engine-images/build-sandbox.ts'
import { privateEngineRef } from './images-of-project.ts'
import { requireOwnLife } from './find-container.ts'
import { reach } from './interact.ts'
import { normaliseSignal } from './signals.ts'

/** Longest time a commit may take, milliseconds. */
const commitTimeoutMs = 30 * 60_000
const killTimeoutMs = 30_000

/**
 * Verbs that happen once and leave no wish behind. The action is written first; a server that dies in between finds it
 * unfinished at its next start and says so (`endInterrupted`), rather than sending a signal a second time.
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
      const engineRef = privateEngineRef(caller.projectId, repository, tag)
      const { container, calls } = await reach(deps, caller, ref, 'commit')
      const { action, image } = await deps.store.transaction(async (tables) => ({
        action: await addAction(deps, tables, caller, container, 'commit'),
        image: await addImage(deps, tables, caller, container, { repository, tag, engineRef }),
      }))
      void carryOut(deps, action, async () => {
        const call = calls.commit({ id: container.id, engineRef }, { signal: AbortSignal.timeout(commitTimeoutMs) })
        const { reply } = await call.catch(async (error: unknown) => {
          await deps.store.images.remove(image.id)
          throw error
        })
        await deps.store.transaction((tables) => replaceFormer(tables, { ...image, ...reply }))
      })
      return image
    },
  }
}

/** Ends what a dead server left, and forgets images that were never completed: called once at start. */
export async function endInterrupted(deps: Deps): Promise<void> {
  for (const action of await deps.store.actions.unfinishedCalls()) {
    const error = 'The server was restarted while this was under way; ask again if it did not happen.'
    await deps.store.actions.finish(action.id, deps.clock.now(), error)
  }
  for (const image of await deps.store.images.list(null)) {
    if (image.imageId === null) await deps.store.images.remove(image.id)
  }
  await endBuildsLeft(deps)
}

/** The image is complete: only now does the one of that name that was there before give way. */
async function replaceFormer(tables: Tables, { id, projectId, repo, tag, imageId, size }: Image): Promise<void> {
  await tables.images.update(id, { imageId, size })
  for (const other of await tables.images.list(projectId)) {
    const former = other.projectId === projectId && other.repo === repo && other.tag === tag && other.imageId !== null
    if (former && other.id !== id) await tables.images.remove(other.id)
  }
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
  await deps.store.actions
    .finish(action.id, now, failure)
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
  return action
}

async function addImage(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  container: Container,
  { repository, tag, engineRef }: { repository: string; tag: string; engineRef: string },
): Promise<Image> {
  if (container.hostId === null) throw new Fault('container.no-host', { ref: container.name })
  const image: Image = {
    id: deps.ids.uuid() as ImageId,
    projectId: caller.projectId,
    hostId: container.hostId,
    hostName: container.hostName ?? '',
    repo: repository,
    tag,
    engineRef,
    imageId: null,
    size: null,
    createdAt: deps.clock.now(),
  }
  await tables.images.insert(image)
  return image
}
