import type { Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  Caller,
  FloatingIp,
  FloatingIpId,
  Network,
  NetworkId,
  Port,
  PortId,
  ProjectId,
  Router,
  RouterId,
  SecurityGroup,
  SecurityGroupId,
  Subnet,
  SubnetId,
} from '@gantry/model'

/**
 * What a caller means by a ref, among what it may see: the own project's, and networks that are shared or external. An
 * administrator reaches everything by id; a name means one in the own sight.
 */
interface Sight<T> {
  readonly type: string
  readonly byId: Promise<T | undefined>
  readonly sees: (found: T) => boolean
  readonly inSight: () => Promise<T[]>
  readonly nameOf: (found: T) => string
}

async function find<T>(caller: Caller, ref: string, sight: Sight<T>): Promise<T> {
  const { type } = sight
  const exact = await sight.byId
  if (exact && (caller.isAdmin || sight.sees(exact))) return exact
  const named = ref === '' ? [] : (await sight.inSight()).filter((found) => sight.nameOf(found) === ref)
  const [first, second] = named
  if (!first) throw new Fault('network.not-found', { type, ref })
  if (second) throw new Fault('network.ambiguous', { type, name: ref })
  return first
}

const nameOf = ({ name }: { readonly name: string }) => name

export function isOwn(caller: Caller, { projectId }: { readonly projectId: ProjectId }): boolean {
  return projectId === caller.projectId
}

/** Of use where an administrator, who reaches everything, would tie two projects together that know nothing of it. */
export function requireSameProject(
  one: { readonly projectId: ProjectId },
  other: { readonly projectId: ProjectId },
  what: string,
): void {
  if (one.projectId !== other.projectId) {
    throw new Fault('request.invalid', { problem: `${what} must belong to the same project.` })
  }
}

export function networkBy(tables: Tables, caller: Caller, ref: string): Promise<Network> {
  return find(caller, ref, {
    type: 'network',
    byId: tables.networks.get(ref as NetworkId),
    sees: (network) => isOwn(caller, network) || network.shared || network.external,
    inSight: () => tables.networks.visible(caller.projectId),
    nameOf,
  })
}

/** One that the caller may change: who only sees it is told so. */
export async function ownNetworkBy(tables: Tables, caller: Caller, ref: string, action: string): Promise<Network> {
  const network = await networkBy(tables, caller, ref)
  requireOwner(caller, network, action)
  return network
}

export function requireOwner(caller: Caller, network: Network, action: string): void {
  if (caller.isAdmin || isOwn(caller, network)) return
  throw new Fault('policy.forbidden', { action, reason: `network ${network.name} belongs to another project` })
}

export async function subnetBy(tables: Tables, caller: Caller, ref: string): Promise<Subnet> {
  const visible = await tables.networks.visible(caller.projectId)
  const ids = visible.map(({ id }) => id)
  return find(caller, ref, {
    type: 'subnet',
    byId: tables.subnets.get(ref as SubnetId),
    sees: ({ networkId }) => ids.includes(networkId),
    inSight: () => tables.subnets.ofNetworks(ids),
    nameOf,
  })
}

export function portBy(tables: Tables, caller: Caller, ref: string): Promise<Port> {
  return find(caller, ref, {
    type: 'port',
    byId: tables.ports.get(ref as PortId),
    sees: (port) => isOwn(caller, port),
    inSight: () => tables.ports.list(caller.projectId),
    nameOf,
  })
}

export function groupBy(tables: Tables, caller: Caller, ref: string): Promise<SecurityGroup> {
  return find(caller, ref, {
    type: 'security group',
    byId: tables.groups.get(ref as SecurityGroupId),
    sees: (group) => isOwn(caller, group),
    inSight: () => tables.groups.list(caller.projectId),
    nameOf,
  })
}

export function routerBy(tables: Tables, caller: Caller, ref: string): Promise<Router> {
  return find(caller, ref, {
    type: 'router',
    byId: tables.routers.get(ref as RouterId),
    sees: (router) => isOwn(caller, router),
    inSight: () => tables.routers.list(caller.projectId),
    nameOf,
  })
}

/** By id or address. */
export function floatingIpBy(tables: Tables, caller: Caller, ref: string): Promise<FloatingIp> {
  return find(caller, ref, {
    type: 'floating IP',
    byId: tables.floatingIps.get(ref as FloatingIpId),
    sees: (ip) => isOwn(caller, ip),
    inSight: () => tables.floatingIps.list(caller.projectId),
    nameOf: ({ address }) => address,
  })
}
