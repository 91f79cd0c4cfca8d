import { Fault } from '@gantry/kernel'
import type { Caller, SecurityGroupId } from '@gantry/model'
import { allOf, type Network, type NetworkService, type Subnet } from '@gantry/openstack'
import { callerMemory } from '../caller-memory.ts'
import { asking } from './neutron-faults.ts'
import { byAge, isId, neutronOf, type Parts } from './parts.ts'

/** A network with its subnets. */
export interface Ground {
  readonly network: Network
  readonly subnets: readonly Subnet[]
}

/** Finds what requests name, with the caller's own eyes. */
export interface Lookups {
  /** By id, or by name where that is the only one she sees. Throws `network.not-found`, `network.ambiguous`. */
  ground(caller: Caller, ref: string): Promise<Ground>
  /** As it is by now, whatever was seen a moment ago. */
  groundAnew(caller: Caller, ref: string): Promise<Ground>
  /** What is settled as Docker's `bridge`, else the project's oldest network with a subnet, else the oldest shared one; null: none. */
  usual(caller: Caller): Promise<Ground | null>
  /** Forgets which network is the usual one. */
  forgetUsual(caller: Caller): void
  /** Ids of security groups by id or name, each once: the project's, and those that others share with it. */
  groups(caller: Caller, refs: readonly string[]): Promise<SecurityGroupId[]>
}

export function lookups(parts: Parts): Lookups {
  // Containers are often made several at a time: what a token was told a moment ago is not asked again.
  const memory = callerMemory(parts.clock)

  const withSubnets = async (neutron: NetworkService, network: Network, caller: Caller): Promise<Ground> => {
    const found = neutron.subnets.list({ network_id: network.id }, parts.access.contextOf(caller))
    return { network, subnets: await allOf(found) }
  }

  async function findGround(caller: Caller, ref: string): Promise<Ground> {
    const neutron = neutronOf(parts, caller)
    const context = parts.access.contextOf(caller)
    if (isId(ref)) {
      const [network, subnets] = await Promise.all([
        neutron.networks.show(ref, context),
        allOf(neutron.subnets.list({ network_id: ref }, context)),
      ])
      return { network, subnets }
    }
    const named = await allOf(neutron.networks.list({ name: ref }, context))
    return withSubnets(neutron, onlyOne('network', ref, named, caller), caller)
  }

  async function findUsual(caller: Caller): Promise<Ground | null> {
    const neutron = neutronOf(parts, caller)
    const context = parts.access.contextOf(caller)
    const lists = await Promise.all(
      [{ project_id: caller.projectId }, { shared: true }].map((filters) =>
        allOf(neutron.networks.list(filters, context)),
      ),
    )
    const notes = await parts.store.cloudNetworks.ofProject(caller.projectId)
    // What a Docker client made is for the containers that name it.
    const dockers = new Set<string>(
      notes.flatMap(({ labels, networkId }) => (labels === null ? [] : (networkId ?? []))),
    )
    const usable = lists
      .flatMap((networks) => byAge(networks))
      .filter(({ id, subnets = [], ...each }) => {
        return each['router:external'] !== true && subnets.length > 0 && !dockers.has(id)
      })
    const settled = notes.find(({ usual }) => usual)?.networkId
    const found = usable.find(({ id }) => id === settled) ?? usable[0]
    return found ? withSubnets(neutron, found, caller) : null
  }

  async function findGroup(caller: Caller, ref: string): Promise<SecurityGroupId> {
    const { securityGroups } = neutronOf(parts, caller)
    const context = parts.access.contextOf(caller)
    if (isId(ref)) {
      const { id, project_id, shared } = await securityGroups.show(ref, context)
      // An administrator sees those of every project.
      if (project_id !== caller.projectId && shared !== true) {
        throw new Fault('network.not-found', { type: 'security group', ref })
      }
      return id as SecurityGroupId
    }
    const named = await allOf(securityGroups.list({ name: ref, project_id: caller.projectId }, context))
    const [first, second] = named
    if (second) throw new Fault('network.ambiguous', { type: 'security group', name: ref })
    if (!first) throw new Fault('network.not-found', { type: 'security group', ref })
    return first.id as SecurityGroupId
  }

  return {
    ground: (caller, ref) =>
      memory.of(caller, `network ${ref}`, () => asking({ type: 'network', ref }, () => findGround(caller, ref))),
    groundAnew: (caller, ref) => asking({ type: 'network', ref }, () => findGround(caller, ref)),
    forgetUsual: (caller) => memory.forgetOne(caller, 'usual'),
    usual: (caller) =>
      memory.of(caller, 'usual', () => asking({ type: 'network', ref: 'of the project' }, () => findUsual(caller))),
    async groups(caller, refs) {
      const found = [...new Set(refs)].map((ref) =>
        memory.of(caller, `group ${ref}`, () => asking({ type: 'security group', ref }, () => findGroup(caller, ref))),
      )
      return [...new Set(await Promise.all(found))]
    },
  }
}

/** Of several of one name the project's own is meant. */
function onlyOne<T extends { readonly project_id?: string | undefined }>(
  type: string,
  ref: string,
  named: readonly T[],
  { projectId }: Caller,
): T {
  const own = named.filter(({ project_id }) => project_id === projectId)
  const meant = own.length > 0 ? own : named
  const [first, second] = meant
  if (!first) throw new Fault('network.not-found', { type, ref })
  if (second) throw new Fault('network.ambiguous', { type, name: ref })
  return first
}
