import type { ListScope } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import {
  allOf,
  type Collection,
  type Context,
  type FloatingIp,
  isOpenStackError,
  type Network,
  type NetworkService,
  type Port,
  type Router,
  type SecurityGroup,
  type Subnet,
} from '@gantry/openstack'
import { byAge, isId, neutronOf, type Parts } from './parts.ts'
import { attempt } from './verb-faults.ts'

/**
 * Neutron as one caller sees it, for the length of one verb. Who is an administrator sees everything there; a name means one in
 * the sight of her project all the same.
 */
export interface Sight {
  readonly caller: Caller
  readonly neutron: NetworkService
  /** A fresh one each time it is read: its time is for a call or a few, not for a long row of them. */
  readonly context: Context
}

export function sightOf(parts: Pick<Parts, 'access'>, caller: Caller): Sight {
  return {
    caller,
    neutron: neutronOf(parts, caller),
    get context() {
      return parts.access.contextOf(caller)
    },
  }
}

interface Found {
  readonly id: string
  readonly project_id?: string | undefined
}

interface Sort<T> {
  readonly type: string
  readonly among: Pick<Collection<T, never, never>, 'list' | 'show'>
  /** The filter that means a name. */
  readonly nameFilter?: string
  readonly sees?: (found: T) => boolean
}

async function find<T extends Found>({ caller, context }: Sight, ref: string, sort: Sort<T>): Promise<T> {
  const { type, among, nameFilter = 'name', sees = isOf(caller) } = sort
  return attempt({ type, ref }, async () => {
    const exact = isId(ref) ? await orNone(among.show(ref, context)) : null
    if (exact && (caller.isAdmin || sees(exact))) return exact
    const named = ref === '' ? [] : await allOf(among.list({ [nameFilter]: ref }, context))
    const [first, second] = named.filter(sees)
    if (!first) throw new Fault('network.not-found', { type, ref })
    if (second) throw new Fault('network.ambiguous', { type, name: ref })
    return first
  })
}

/** null for what is not there. */
export async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (isOpenStackError(error, 404)) return null
    throw error
  }
}

function isOf({ projectId }: Caller) {
  return ({ project_id }: Found) => project_id === projectId
}

function isVisible(caller: Caller) {
  return (network: Network) =>
    network.project_id === caller.projectId || network.shared === true || network['router:external'] === true
}

export function networkBy(sight: Sight, ref: string): Promise<Network> {
  const { neutron, caller } = sight
  return find<Network>(sight, ref, { type: 'network', among: neutron.networks, sees: isVisible(caller) })
}

/** What a user is shown of subnets is hers or of a network that is shared with her. */
export async function subnetBy(sight: Sight, ref: string): Promise<Subnet> {
  const { neutron, caller } = sight
  const networks = caller.isAdmin && !isId(ref) ? await visibleNetworks(sight) : null
  const sees = ({ network_id }: Subnet) => networks === null || networks.some(({ id }) => id === network_id)
  return find<Subnet>(sight, ref, { type: 'subnet', among: neutron.subnets, sees })
}

export function portBy(sight: Sight, ref: string): Promise<Port> {
  return find<Port>(sight, ref, { type: 'port', among: sight.neutron.ports })
}

export function groupBy(sight: Sight, ref: string): Promise<SecurityGroup> {
  return find<SecurityGroup>(sight, ref, { type: 'security group', among: sight.neutron.securityGroups })
}

export function routerBy(sight: Sight, ref: string): Promise<Router> {
  return find<Router>(sight, ref, { type: 'router', among: sight.neutron.routers })
}

/** By id or address. */
export function floatingIpBy(sight: Sight, ref: string): Promise<FloatingIp> {
  const among = sight.neutron.floatingIps
  return find<FloatingIp>(sight, ref, { type: 'floating IP', among, nameFilter: 'floating_ip_address' })
}

/** The project's networks, shared ones and external ones, the oldest first. */
export async function visibleNetworks({ caller, neutron, context }: Sight): Promise<Network[]> {
  const filters = caller.isAdmin
    ? [{ project_id: caller.projectId }, { shared: true }, { 'router:external': true }]
    : [{}]
  const found = await Promise.all(filters.map((filter) => allOf(neutron.networks.list(filter, context))))
  const each = new Map(found.flat().map((network) => [network.id, network]))
  return byAge([...each.values()].filter(isVisible(caller)))
}

/** How many ids go into one query: addresses of calls have a bound. */
const idsInQuery = 50

/** Of the networks that `visibleNetworks` answers. */
export async function visibleSubnets(sight: Sight): Promise<Subnet[]> {
  const { caller, neutron, context } = sight
  if (!caller.isAdmin) return byAge(await allOf(neutron.subnets.list({}, context)))
  const ids = (await visibleNetworks(sight)).map(({ id }) => id)
  const pieces = Array.from({ length: Math.ceil(ids.length / idsInQuery) }, (_, index) =>
    ids.slice(index * idsInQuery, (index + 1) * idsInQuery),
  )
  const found = pieces.map((piece) => allOf(neutron.subnets.list({ network_id: piece }, context)))
  return byAge((await Promise.all(found)).flat())
}

/** The filter of a list: the caller's project, or, for administrators who ask for it, everything. */
export function scopeOf(caller: Caller, options: ListScope = {}): { readonly project_id?: string } {
  if (options.allProjects !== true) return { project_id: caller.projectId }
  requireAdmin(caller, 'Listing all projects')
  return {}
}

/** Throws `policy.forbidden` unless an administrator asks; `action` begins a sentence. */
export function requireAdmin(caller: Caller, action: string): void {
  if (!caller.isAdmin) throw new Fault('policy.forbidden', { action, reason: 'it needs the admin role' })
}

/** Who only sees a network is told so. */
export function requireOwner(caller: Caller, { project_id, name }: Network, action: string): void {
  if (caller.isAdmin || project_id === caller.projectId) return
  throw new Fault('policy.forbidden', { action, reason: `network ${name ?? ''} belongs to another project` })
}
