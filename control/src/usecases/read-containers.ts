import { Fault } from '@gantry/kernel'
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
      const container = await findContainer(deps.store, caller, ref)
      return deps.store.actions.list(container.id)
    },
    async action(caller, ref, requestId) {
      const container = await findContainer(deps.store, caller, ref)
      const action = await deps.store.actions.byRequest(container.id, requestId)
      if (!action) throw new Fault('action.not-found', { request: requestId, ref })
      return { action, events: await deps.store.actions.events(action.id) }
    },
  }
}
