import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId } from '@gantry/model'
import type { Containers } from '../control.ts'
import type { Deps } from '../deps.ts'
import { findContainer, requireAdminFor } from './find-container.ts'

/** Queries: they read the store and nothing else. */
export function readVerbs(deps: Deps): Pick<Containers, 'list' | 'get' | 'actions' | 'action'> {
  return {
    async list(caller, query) {
      requireAdminFor(caller, query.allProjects, 'Listing all projects')
      requireAdminFor(caller, query.filters.host !== undefined, 'Filtering by host')
      return deps.store.containers.list(query.allProjects ? null : caller.projectId, query)
    },
    get: (caller, ref, options) => findContainer(deps.store, caller, ref, options),
    async actions(caller, ref) {
      return deps.store.actions.list(await idOnceHad(deps, caller, ref))
    },
    async action(caller, ref, requestId) {
      const action = await deps.store.actions.byRequest(await idOnceHad(deps, caller, ref), requestId)
      if (!action) throw new Fault('action.not-found', { request: requestId, ref })
      return { action, events: await deps.store.actions.events(action.id) }
    },
  }
}

/** The audit outlives its container: by id, who could see the container can still see what was asked of it. */
async function idOnceHad(deps: Pick<Deps, 'store'>, caller: Caller, ref: string): Promise<ContainerId> {
  try {
    return (await findContainer(deps.store, caller, ref)).id
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'container.not-found') throw error
    const id = ref as ContainerId
    const [newest] = await deps.store.actions.list(id)
    if (newest && (caller.isAdmin || newest.projectId === caller.projectId)) return id
    throw error
  }
}
