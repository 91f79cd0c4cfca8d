import { type NetworkVerbs, type NewWholeNetwork, plannedSubnets, poolsOf } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Network, Router, Subnet } from '@gantry/model'
import { createNetwork, usesOf } from './networks.ts'
import { type Parts, transact, type Work } from './parts.ts'
import { addSubnet, removeInterface } from './routers.ts'
import { ownNetworkBy } from './sight.ts'
import { createSubnet } from './subnets.ts'
import { makeRouter, makeTopology } from './topology.ts'

export type WholeNetworks = Pick<NetworkVerbs['networks'], 'ensureUsual' | 'createWhole' | 'deleteWhole'>

/** Networks in the sense of Docker's users: one word makes all that a container needs to reach the outside. */
export function wholeNetworks(parts: Parts): WholeNetworks {
  return {
    ensureUsual: async (caller) =>
      (await settledOf(parts.store, caller)) ?? transact(parts, (work) => ensureUsual(work, caller)),
    createWhole: (caller, input) => transact(parts, (work) => create(work, caller, input)),
    deleteWhole: (caller, ref) => transact(parts, (work) => remove(work, caller, ref)),
  }
}

async function ownOf({ networks }: Work['tables'], { projectId }: Caller): Promise<Network[]> {
  const visible = await networks.visible(projectId)
  return visible.filter((network) => network.projectId === projectId && !network.external)
}

async function settledOf(tables: Work['tables'], caller: Caller): Promise<Network | undefined> {
  return (await ownOf(tables, caller)).find(({ usual }) => usual === true)
}

/**
 * What Zun's containers of the project are on already becomes Docker's `bridge` too, so that both meet there: its network
 * of that name, else the oldest one, not made by a Docker client, with a router whose gateway leads out.
 */
async function ensureUsual(work: Work, caller: Caller): Promise<Network> {
  const { tables } = work
  const settled = await settledOf(tables, caller)
  if (settled) return settled
  const routers = (await tables.routers.list(caller.projectId)).filter(({ gateway }) => gateway !== null)
  const leadsOut = new Set<string>(routers.flatMap(({ interfaces }) => interfaces.map(({ networkId }) => networkId)))
  const own = (await ownOf(tables, caller)).filter(({ labels }) => labels === undefined)
  const found = own.find(({ name }) => name === 'bridge') ?? own.find(({ id }) => leadsOut.has(id))
  if (!found) return makeTopology(work, caller)
  await tables.networks.makeUsual(found.id)
  return { ...found, usual: true }
}

async function create(work: Work, caller: Caller, input: NewWholeNetwork): Promise<Network> {
  const { tables } = work
  const { name, labels, internal } = input
  const own = await ownOf(tables, caller)
  if (own.some((other) => other.name === name)) throw new Fault('network.name-taken', { name })
  const taken = await tables.subnets.ofNetworks((await tables.networks.visible(caller.projectId)).map(({ id }) => id))
  const asked = plannedSubnets(
    work.ids,
    input,
    taken.map(({ cidr }) => cidr),
  )
  const network = await createNetwork(work, caller.projectId, { name, shared: false, external: false, labels })
  const subnets: Subnet[] = []
  for (const subnet of asked) {
    const { cidr, gateway } = subnet
    const pools = poolsOf(subnet)
    const way = internal ? { gateway: null } : gateway === undefined ? {} : { gateway }
    subnets.push(await createSubnet(work, network, { name, cidr, ...way, ...(pools && { pools }) }))
  }
  if (internal) return network
  let router = await routerOf(work, caller)
  for (const subnet of subnets) router = await addSubnet(work, router, subnet)
  return network
}

/** The router of the usual network, so that containers of all networks share one way out; else another that leads out. */
async function routerOf(work: Work, caller: Caller): Promise<Router> {
  const { id } = await ensureUsual(work, caller)
  const all = await work.tables.routers.list(caller.projectId)
  const beside = all.find(({ interfaces }) => interfaces.some(({ networkId }) => networkId === id))
  return beside ?? all.find(({ gateway }) => gateway !== null) ?? makeRouter(work, caller)
}

async function remove(work: Work, caller: Caller, ref: string): Promise<void> {
  const { tables, touched } = work
  const { id, name, usual } = await ownNetworkBy(tables, caller, ref, 'Deleting this network')
  if (usual === true) {
    const reason = 'it is the usual network of the project'
    throw new Fault('policy.forbidden', { action: `Removing network ${name}`, reason })
  }
  const used = (await tables.ports.ofNetwork(id)).filter(
    ({ deviceOwner }) => deviceOwner !== 'network:router_interface',
  )
  if (used.length > 0) throw new Fault('network.in-use', { type: 'network', ref: name, reason: usesOf(used) })
  for (const router of await tables.routers.onNetworks([id])) {
    for (const { networkId, subnetId } of router.interfaces) {
      if (networkId === id) await removeInterface(work, caller, router.id, { subnet: subnetId })
    }
  }
  for (const subnet of await tables.subnets.ofNetworks([id])) await tables.subnets.remove(subnet.id)
  await tables.networks.remove(id)
  touched.networks.add(id)
}
