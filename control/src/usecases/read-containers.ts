import { Fault } from '@gantry/kernel'
import type { Caller, Container, ContainerId } from '@gantry/model'
import type { Containers } from '../control.ts'
import type { Deps } from '../deps.ts'
import { findContainer, requireAdminFor } from './find-container.ts'

/** Queries: they read the store and nothing else. */
export function readVerbs(
  deps: Deps,
): Pick<Containers, 'list' | 'counts' | 'get' | 'withIdPrefix' | 'until' | 'actions' | 'action'> {
  return {
    async list(caller, query) {
      requireAdminFor(caller, query.allProjects, 'Listing all projects')
      requireAdminFor(caller, query.filters.host !== undefined, 'Filtering by host')
      const { host } = query.filters
      // By its id there is an index; who is on a host keeps it from being forgotten.
      const hostId = host === undefined ? undefined : await deps.store.hosts.idOf(host)
      if (host !== undefined && hostId === undefined) return []
      const filters = { ...query.filters, ...(hostId !== undefined && { hostId }) }
      return deps.store.containers.list(query.allProjects ? null : caller.projectId, { ...query, filters })
    },
    async counts(caller, { allProjects = false }) {
      requireAdminFor(caller, allProjects, 'Counting those of all projects')
      return deps.store.containers.counts(allProjects ? null : caller.projectId)
    },
    get: (caller, ref, options) => findContainer(deps.store, caller, ref, options),
    async withIdPrefix({ projectId }, digits) {
      if (!/^[0-9a-f]{1,32}$/.test(digits)) return []
      return deps.store.containers.withIdPrefix(projectId, digits)
    },
    until: (caller, id, done, signal) => untilDone(deps, caller, { id, done, signal }),
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

interface Until {
  readonly id: ContainerId
  readonly done: (container: Container) => boolean
  readonly signal: AbortSignal
}

/** See `Containers.until`. */
export async function untilDone(
  deps: Deps,
  caller: Caller,
  { id, done, signal }: Until,
): ReturnType<Containers['until']> {
  let heard = false
  let wake = () => {}
  let exitCode: number | null = null
  const stop = deps.hub.listen(id, (event) => {
    exitCode = event.exitCode ?? exitCode
    heard = true
    wake()
  })
  const aborted = () => wake()
  signal.addEventListener('abort', aborted, { once: true })
  try {
    let container = await findContainer(deps.store, caller, id)
    while (!done(container)) {
      signal.throwIfAborted()
      if (!heard) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      signal.throwIfAborted()
      heard = false
      const now = await deps.store.containers.get(id)
      if (!now) return { container, gone: true, exitCode: exitCode ?? container.observed.engine?.exitCode ?? null }
      container = now
    }
    return { container, gone: false, exitCode: container.observed.engine?.exitCode ?? null }
  } finally {
    stop()
    signal.removeEventListener('abort', aborted)
  }
}
