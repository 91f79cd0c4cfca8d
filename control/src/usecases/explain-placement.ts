import type { Caller } from '@gantry/model'
import type { HostVerdict } from '../control.ts'
import type { Deps } from '../deps.ts'
import { fleetIn, needOf, neighboursIn } from '../reconcile/fleet-of-store.ts'
import { architecturesOf } from '../reconcile/made-for.ts'
import { findContainer, requireAdminFor } from './find-container.ts'

/** What speaks against each host for a container as it is now, as if it were on none. */
export async function explainPlacement(deps: Deps, caller: Caller, ref: string): Promise<HostVerdict[]> {
  const { store, volumes } = deps
  const container = await findContainer(store, caller, ref, { allProjects: caller.isAdmin })
  requireAdminFor(caller, true, 'Asking where a container may run')
  const { capsule, projectId } = container
  const together = capsule ? await store.capsules.members(capsule.capsuleId) : [container]
  const leader = together.find((member) => member.capsule?.role === 'sandbox') ?? container
  const mounts = together.flatMap((member) => member.mounts)
  const volumesOn = mounts.some(({ kind }) => kind === 'volume') ? await volumes.hostOf(store, mounts) : null
  const leaves = leader.moving?.from ?? null
  const architectures = await architecturesOf(store, together)
  const need = await needOf(leader, together, { volumesOn, leaves, architectures }, () =>
    neighboursIn(store, projectId),
  )
  const fleet = await fleetIn(deps, store, together)
  return fleet.explain(need).map(({ host, refusals }) => ({
    host,
    refusals,
    isThere: host.id === container.hostId,
  }))
}
