import { Fault, reasonOf } from '@gantry/kernel'
import { type Container, type ContainerId, statusOf } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import type { Tables } from '../ports/store.ts'
import { chooseHost } from '../scheduling/choose-host.ts'
import { resolveImage } from '../usecases/images-of-project.ts'
import { isUp, withLink } from '../usecases/hosts.ts'

export type Placed =
  | { readonly kind: 'placed'; readonly container: Container }
  | { readonly kind: 'failed'; readonly container: Container }
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'nothing' }

/**
 * Gives one container a host, claiming its resources in the same transaction, or writes down why none fits. While there is
 * no host at all that is up, it waits for one a little (a server that was just started), then gives up with the reason.
 */
export async function place(deps: Deps, id: ContainerId): Promise<Placed> {
  const result = await deps.store.transaction(async (tables): Promise<Placed> => {
    const container = await tables.containers.get(id)
    if (!container || container.hostId !== null || container.wish.gone) return { kind: 'nothing' }
    const candidates = (await tables.hosts.list()).map((stored) => {
      const host = withLink(deps, stored)
      return { host, up: isUp(deps, host) }
    })
    const image = await imageOf(tables, container)
    if (image instanceof Fault) return fail(deps, tables, container, image.message)
    const choice = chooseHost(candidates, { container, imageOn: image, policy: deps.policy })
    if (choice.kind === 'chosen') {
      const where = { hostId: choice.host.id, hostName: choice.host.name }
      await tables.containers.update(id, where)
      return { kind: 'placed', container: { ...container, ...where } }
    }
    const until = container.updatedAt + deps.policy.placementPatienceMs
    if (!candidates.some(({ up }) => up) && deps.clock.now() < until) return { kind: 'waiting', until }
    return fail(deps, tables, container, new Fault('placement.no-host', { reasons: choice.reasons }).message)
  })
  if (result.kind === 'failed') deps.hub.publish(containerEvent(result.container, result.container.updatedAt))
  return result
}

async function imageOf(tables: Tables, container: Container) {
  try {
    return (await resolveImage(tables, container.projectId, container.spec.image)).onlyOn
  } catch (error) {
    if (error instanceof Fault) return error
    throw new Error(`image of ${container.id}: ${reasonOf(error)}`, { cause: error })
  }
}

async function fail(deps: Deps, tables: Tables, container: Container, placementFailure: string): Promise<Placed> {
  const now = deps.clock.now()
  const failed: Container = { ...container, placementFailure, task: null, updatedAt: now }
  const view = statusOf(failed)
  const status = { status: view.status, statusReason: view.reason }
  await tables.containers.update(container.id, { placementFailure, task: null, updatedAt: now, ...status })
  await tables.actions.finishUpTo(container.id, container.wish.version, now, placementFailure)
  return { kind: 'failed', container: { ...failed, ...status } }
}
