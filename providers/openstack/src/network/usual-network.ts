import type { CloudNetwork } from '@gantry/control'
import { BoundedMap, type Clock } from '@gantry/kernel'
import type { Caller, Network, NetworkId, ProjectId } from '@gantry/model'
import { allOf, type Network as Said, type Router, type Subnet } from '@gantry/openstack'
import type { Extensions } from './extensions.ts'
import { networkMark } from './half-made.ts'
import type { Parts } from './parts.ts'
import { byAge } from './parts.ts'
import { orNone, type Sight } from './sight.ts'
import { networkOf } from './translate.ts'
import { attempt } from './verb-faults.ts'
import { legsOf } from './verbs-routers.ts'

export type UsualParts = Parts & { readonly extensions: Extensions }

/** A project's own networks, and what leads out of them. */
export interface Estate {
  readonly networks: readonly Said[]
  readonly subnets: readonly Subnet[]
  readonly routers: readonly Router[]
  /** Ids of networks by the routers that have an interface there. */
  readonly connected: ReadonlyMap<string, ReadonlySet<string>>
  readonly notes: readonly CloudNetwork[]
}

/** All at once. */
export async function estateOf(parts: UsualParts, sight: Sight): Promise<Estate> {
  const { caller, neutron, context } = sight
  const own = { project_id: caller.projectId }
  const withRouters = await parts.extensions().then((known) => known.has('router'))
  const [networks, subnets, routers, legs, notes] = await Promise.all([
    allOf(neutron.networks.list(own, context)),
    allOf(neutron.subnets.list(own, context)),
    withRouters ? allOf(neutron.routers.list(own, context)) : [],
    withRouters ? legsOf(sight, own) : [],
    parts.store.cloudNetworks.ofProject(caller.projectId),
  ])
  const connected = new Map<string, Set<string>>()
  for (const { device_id = '', network_id } of legs) {
    connected.set(device_id, (connected.get(device_id) ?? new Set()).add(network_id))
  }
  return { networks, subnets, routers: byAge(routers), connected, notes }
}

/** The project's router on this network, else another one; of those whose gateway leads out. null: there is none. */
export function routerBeside({ routers, connected }: Estate, networkId: string | null): Router | null {
  const beside = routers.find(({ id }) => networkId !== null && connected.get(id)?.has(networkId))
  return beside ?? routers.find(leadsOut) ?? null
}

function leadsOut({ external_gateway_info }: Router): boolean {
  return (external_gateway_info ?? null) !== null
}

/**
 * What becomes Docker's `bridge` of what is there already, so that the project's other containers are met there: its network of
 * that name, else the oldest one with a router that leads out, else the oldest one whose subnet has a gateway, as the operator's own
 * networks (VLANs) have. Not what Docker clients made.
 */
export function usualAmong(parts: Pick<Parts, 'deployment'>, estate: Estate): Said | null {
  const { networks, subnets, routers, connected, notes } = estate
  const dockers = new Set(notes.flatMap(({ labels, networkId }) => (labels === null ? [] : (networkId ?? []))))
  const halfMade = new Set(notes.filter(({ networkId }) => networkId === null).map(({ id }) => networkMark(parts, id)))
  const withWay = new Set(
    subnets.filter(({ gateway_ip, ip_version }) => ip_version === 4 && gateway_ip).map(({ network_id }) => network_id),
  )
  const routed = new Set(routers.filter(leadsOut).flatMap(({ id }) => [...(connected.get(id) ?? [])]))
  const usable = byAge(networks).filter(
    ({ id, description, ...said }) =>
      said['router:external'] !== true &&
      !dockers.has(id as NetworkId) &&
      !halfMade.has(description ?? '') &&
      withWay.has(id),
  )
  return usable.find(({ name }) => name === 'bridge') ?? usable.find(({ id }) => routed.has(id)) ?? usable[0] ?? null
}

/** Answers what was settled, if it is still there. */
export async function settledUsual(parts: Parts, sight: Sight): Promise<Network | null> {
  const { caller, neutron, context } = sight
  const note = (await parts.store.cloudNetworks.ofProject(caller.projectId)).find(({ usual }) => usual)
  if (!note || note.networkId === null) return null
  const { networkId } = note
  const said = await attempt({ type: 'network', ref: networkId }, () =>
    orNone(neutron.networks.show(networkId, context)),
  )
  if (said && said.project_id === caller.projectId) return networkOf(said, note)
  // Its user has deleted it, so another one is settled.
  await parts.store.cloudNetworks.remove(note.id)
  return null
}

/** Settles what was found, unless another one has been settled meanwhile. */
export async function settle(parts: Parts, { projectId }: Caller, said: Said): Promise<Network> {
  const { store, ids, clock } = parts
  return store.transaction(async ({ cloudNetworks }) => {
    const notes = await cloudNetworks.ofProject(projectId)
    const note = notes.find(({ networkId }) => networkId === said.id)
    const next: CloudNetwork = note
      ? { ...note, usual: true }
      : {
          id: ids.uuid(),
          networkId: said.id as NetworkId,
          projectId,
          usual: true,
          labels: null,
          createdAt: clock.now(),
        }
    if (note) await cloudNetworks.finish(note.id, said.id as NetworkId, true)
    else await cloudNetworks.insert(next)
    return networkOf(said, next)
  })
}

/** How long an answer is good. It is asked for at the beginning of nearly everything that Docker clients do. Milliseconds. */
const keptMs = 5000
const mostKept = 1000

export interface OncePerProject {
  of(caller: Caller): Promise<Network>
  /** Something has changed. */
  forget(projectId: ProjectId): void
}

/** One answer for all who ask at the same time in a project, and for a moment after. */
export function oncePerProject(clock: Clock, ask: (caller: Caller) => Promise<Network>): OncePerProject {
  const known = new BoundedMap<ProjectId, { readonly network: Network; readonly until: number }>(mostKept)
  const flights = new Map<ProjectId, Promise<Network>>()
  const asked = async (caller: Caller) => {
    const network = await ask(caller)
    known.set(caller.projectId, { network, until: clock.now() + keptMs })
    return network
  }
  return {
    async of(caller) {
      const { projectId } = caller
      const entry = known.get(projectId)
      if (entry && clock.now() < entry.until) return entry.network
      const flight = flights.get(projectId) ?? asked(caller).finally(() => flights.delete(projectId))
      flights.set(projectId, flight)
      return flight
    },
    forget: (projectId) => known.delete(projectId),
  }
}
