import { Fault } from '@gantry/kernel'
import { type Container, type ContainerId, type HostId, type Mount, statusOf } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import type { Tables } from '../ports/store.ts'
import { chooseHost } from '../scheduling/choose-host.ts'
import { isUp, withLink } from '../usecases/hosts.ts'

export type Placed =
  /** With everything that is placed together with it (a capsule), itself included. */
  | { readonly kind: 'placed'; readonly containers: readonly Container[] }
  | { readonly kind: 'failed'; readonly containers: readonly Container[] }
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'nothing' }

/**
 * Gives one container, or a whole capsule, a host, claiming its resources in the same transaction, or writes down why none
 * fits. While there is no host at all that is up, it waits for one a little (a server that was just started), then gives up
 * with the reason.
 */
export async function place(deps: Deps, id: ContainerId): Promise<Placed> {
  const result = await deps.store.transaction(async (tables): Promise<Placed> => {
    const container = await tables.containers.get(id)
    if (!container || container.hostId !== null || container.wish.gone) return { kind: 'nothing' }
    const { capsule } = container
    // A capsule is placed with its sandbox.
    if (capsule && capsule.role !== 'sandbox') return { kind: 'nothing' }
    const together = capsule ? await tables.capsules.members(capsule.capsuleId) : [container]
    return placeTogether(deps, tables, container, together)
  })
  if (result.kind === 'failed') {
    for (const container of result.containers) deps.hub.publish(containerEvent(container, container.updatedAt))
  }
  return result
}

async function placeTogether(
  deps: Deps,
  tables: Tables,
  leader: Container,
  together: readonly Container[],
): Promise<Placed> {
  const candidates = (await tables.hosts.list()).map((stored) => {
    const host = withLink(deps, stored)
    return { host, up: isUp(deps, host) }
  })
  const volumesOn = await volumesOf(
    deps,
    tables,
    together.flatMap(({ mounts }) => mounts),
  )
  if (volumesOn instanceof Fault) return fail(deps, tables, together, volumesOn.message)
  const choice = chooseHost(candidates, {
    container: sumOf(leader, together),
    volumesOn,
    policy: deps.policy,
  })
  if (choice.kind === 'chosen') {
    const where = { hostId: choice.host.id, hostName: choice.host.name }
    for (const { id } of together) {
      await tables.containers.update(id, where)
      await deps.networks.place(tables, id, where.hostId)
      await deps.volumes.place(tables, id, where.hostId)
    }
    if (leader.capsule) await tables.capsules.update(leader.capsule.capsuleId, { hostId: where.hostId })
    return { kind: 'placed', containers: together.map((container) => ({ ...container, ...where })) }
  }
  const until = leader.updatedAt + deps.policy.placementPatienceMs
  if (!candidates.some(({ up }) => up) && deps.clock.now() < until) return { kind: 'waiting', until }
  return fail(deps, tables, together, new Fault('placement.no-host', { reasons: choice.reasons }).message)
}

/** What a host must have room for: one container that needs as much as all of them. */
function sumOf(leader: Container, together: readonly Container[]): Container {
  const sum = (of: 'cpu' | 'memory' | 'disk') => together.reduce((total, { spec }) => total + spec[of], 0)
  const mounts = together.flatMap((container) => container.mounts)
  return { ...leader, mounts, spec: { ...leader.spec, cpu: sum('cpu'), memory: sum('memory'), disk: sum('disk') } }
}

async function volumesOf(deps: Deps, tables: Tables, mounts: readonly Mount[]): Promise<HostId | null | Fault> {
  try {
    return await deps.volumes.hostOf(tables, mounts)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

async function fail(
  deps: Deps,
  tables: Tables,
  together: readonly Container[],
  placementFailure: string,
): Promise<Placed> {
  const now = deps.clock.now()
  const containers: Container[] = []
  for (const container of together) {
    const failed: Container = { ...container, placementFailure, task: null, updatedAt: now }
    const view = statusOf(failed)
    const change = { placementFailure, task: null, updatedAt: now, status: view.status, statusReason: view.reason }
    await tables.containers.update(container.id, change)
    await tables.actions.finishUpTo(container.id, container.wish.version, now, placementFailure)
    containers.push({ ...failed, ...change })
  }
  return { kind: 'failed', containers }
}
