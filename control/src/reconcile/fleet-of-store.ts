import { Fault } from '@gantry/kernel'
import type { Container, Host, HostId, HostUsage, ProjectId } from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { Instance } from '../ports/instance-table.ts'
import type { Tables } from '../ports/store.ts'
import type { Candidate, Need } from '../scheduling/filters.ts'
import { Fleet } from '../scheduling/fleet.ts'
import { type Neighbour, type NeighbourRule, rulesOf } from '../scheduling/rules.ts'
import { isUp, withLink } from '../usecases/hosts.ts'
import { architecturesOf } from './made-for.ts'

type FleetDeps = Pick<Deps, 'links' | 'clock' | 'policy'>

/** All hosts as they are now; as if `without` were not on theirs. */
export async function fleetIn(
  deps: FleetDeps,
  tables: Pick<Tables, 'hosts' | 'instances'>,
  without: readonly Container[] = [],
): Promise<Fleet> {
  return fleetOf(deps, tables, await tables.hosts.list(), without)
}

/** Of these hosts, which are oldest first. */
export async function fleetOf(
  deps: FleetDeps,
  tables: Pick<Tables, 'instances'>,
  hosts: readonly Host[],
  without: readonly Container[] = [],
): Promise<Fleet> {
  const made = new Map((await tables.instances.list()).map((instance) => [instance.id as string, madeOf(instance)]))
  const candidates = hosts.map((stored): Candidate => {
    const host = withLink(deps, stored)
    const { id, used } = host
    const gone = without.filter(({ hostId }) => hostId === id)
    const left = gone.length === 0 ? host : { ...host, used: less(used, gone) }
    const instance = made.get(id)
    return { host: left, up: isUp(deps, host), ...(instance && { made: instance }) }
  })
  return new Fleet(candidates, deps.policy)
}

function madeOf({ projectId, state }: Instance): NonNullable<Candidate['made']> {
  return { projectId, leaving: state === 'reaping' }
}

function less(used: HostUsage, gone: readonly Container[]): HostUsage {
  const sum = (of: 'cpu' | 'memory' | 'disk') => gone.reduce((total, { spec }) => total + spec[of], 0)
  return {
    containers: used.containers - countOf(gone),
    cpu: used.cpu - sum('cpu'),
    memory: used.memory - sum('memory'),
    disk: used.disk - sum('disk'),
  }
}

/** A sandbox holds its share of a host, but nobody asked for it as a container. */
function countOf(together: readonly Container[]): number {
  return together.filter(({ capsule }) => capsule?.role !== 'sandbox').length
}

/** A project's containers that have a host. */
export interface Neighbours {
  readonly all: readonly Neighbour[]
  add(containers: readonly Container[]): void
}

export async function neighboursIn(tables: Pick<Tables, 'containers'>, projectId: ProjectId): Promise<Neighbours> {
  const all: Neighbour[] = await tables.containers.neighbours(projectId)
  return {
    all,
    add(containers) {
      for (const { id, name, spec, hostId } of containers) {
        if (hostId !== null) all.push({ id, name, image: spec.image, labels: spec.labels, hostId })
      }
    },
  }
}

/** What a container, or a whole capsule, needs of a host. Throws `request.invalid` for rules that cannot be read. */
export async function needOf(
  leader: Container,
  together: readonly Container[],
  where: Pick<Need, 'volumesOn' | 'leaves' | 'architectures'>,
  neighbours: () => Promise<Neighbours>,
): Promise<Need> {
  const { hosts, neighbours: asked } = rulesOf(leader.spec)
  const own = new Set<string>(together.map(({ id }) => id))
  const others = asked.length === 0 ? [] : (await neighbours()).all.filter(({ id }) => !own.has(id))
  return {
    projectId: leader.projectId,
    container: sumOf(leader, together),
    count: countOf(together),
    ...where,
    rules: hosts,
    near: nearOf(
      asked.filter(({ apart }) => !apart),
      others,
    ),
    apart: hostsOf(
      asked.filter(({ apart }) => apart),
      others,
    ),
  }
}

/** The hosts that have one of each. The first of a group that wants to be together may go anywhere. */
function nearOf(asked: readonly NeighbourRule[], others: readonly Neighbour[]): ReadonlySet<HostId> | null {
  let near: ReadonlySet<HostId> | null = null
  for (const rule of asked) {
    const hosts = hostsOf([rule], others)
    if (hosts.size === 0 && rule.meansItself) continue
    near = near === null ? hosts : near.intersection(hosts)
  }
  return near
}

function hostsOf(rules: readonly NeighbourRule[], others: readonly Neighbour[]): ReadonlySet<HostId> {
  return new Set(
    others.filter((other) => rules.some((rule) => rule.matches(other))).map((neighbour) => neighbour.hostId),
  )
}

/** What a host must have room for: one container that needs as much as all of them. */
function sumOf(leader: Container, together: readonly Container[]): Need['container'] {
  if (together.length === 1) return leader
  const sum = (of: 'cpu' | 'memory' | 'disk') => together.reduce((total, { spec }) => total + spec[of], 0)
  const mounts = together.flatMap((container) => container.mounts)
  const { spec, nics } = leader
  return { nics, mounts, spec: { ...spec, cpu: sum('cpu'), memory: sum('memory'), disk: sum('disk') } }
}

/** Throws `placement.no-host` if these, taken off host `leaves` with their volumes, could be placed nowhere else now. */
export async function requireOtherHost(
  deps: FleetDeps,
  tables: Tables,
  leader: Container,
  together: readonly Container[],
  leaves: HostId,
): Promise<void> {
  const where = { volumesOn: null, leaves, architectures: await architecturesOf(tables, together) }
  const need = await needOf(leader, together, where, () => neighboursIn(tables, leader.projectId))
  const choice = (await fleetIn(deps, tables)).choose(need)
  if (choice.kind === 'none') throw new Fault('placement.no-host', { reasons: choice.reasons })
}
