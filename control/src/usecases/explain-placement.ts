import type { Caller, Host } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { fleetIn, needOf, neighboursIn } from '../reconcile/fleet-of-store.ts'
import { architecturesOf } from '../reconcile/made-for.ts'
import { remedyFor } from '../scheduling/remedies.ts'
import { findContainer } from './find-container.ts'

export interface PlacementAnswer {
  /** How many hosts there are, and how many of them would take it. */
  readonly total: number
  readonly fitting: number
  /** The most frequent first; each host counts once. `why` reads after a count: "3 are out of memory". `remedy`: what to do, for who asks. */
  readonly reasons: readonly { readonly why: string; readonly hosts: number; readonly remedy: string }[]
  /** Empty for all but administrators. */
  readonly hosts: readonly HostVerdict[]
}

export interface HostVerdict {
  readonly host: Host
  /** Empty: it may run there. */
  readonly refusals: readonly string[]
  readonly isThere: boolean
}

/** What speaks against each host for a container as it is now, as if it were on none. Which hosts there are only administrators are told. */
export async function explainPlacement(deps: Deps, caller: Caller, ref: string): Promise<PlacementAnswer> {
  const { store, volumes } = deps
  const container = await findContainer(store, caller, ref, { allProjects: caller.isAdmin })
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
  const hosts = fleet.explain(need).map(({ host, refusals }) => ({
    host,
    refusals,
    isThere: host.id === container.hostId,
  }))
  return { ...summed(hosts, caller.isAdmin ? 'operator' : 'owner'), hosts: caller.isAdmin ? hosts : [] }
}

/** Each host counts for the first that speaks against it, as where no host fits. */
function summed(hosts: readonly HostVerdict[], who: 'owner' | 'operator'): Omit<PlacementAnswer, 'hosts'> {
  const counts = new Map<string, number>()
  for (const { refusals } of hosts) {
    const [why] = refusals
    if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1)
  }
  return {
    total: hosts.length,
    fitting: hosts.filter(({ refusals }) => refusals.length === 0).length,
    reasons: [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([why, count]) => ({ why, hosts: count, remedy: remedyFor(why, who) })),
  }
}
