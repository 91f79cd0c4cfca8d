import { blockOf, overlap, parseBlock, type Tables } from '@gantry/control'
import type { Caller, Network, Router, Subnet } from '@gantry/model'
import { oldestExternal } from './floating-ips.ts'
import { createNetwork } from './networks.ts'
import type { Parts, Work } from './parts.ts'
import { transact } from './parts.ts'
import { addSubnet, createRouter, setGateway } from './routers.ts'
import { createSubnet } from './subnets.ts'

/** Where a container goes that names no network. Networks without a subnet have no address to give. */
export async function usualNetwork(work: Work, caller: Caller): Promise<Network> {
  const visible = (await work.tables.networks.visible(caller.projectId)).filter(({ external }) => !external)
  const subnets = await work.tables.subnets.ofNetworks(visible.map(({ id }) => id))
  const withSubnet = new Set<string>(subnets.map(({ networkId }) => networkId))
  const usable = visible
    .filter(({ id }) => withSubnet.has(id))
    .toSorted((one, other) => one.createdAt - other.createdAt)
  // What a Docker client made is for the containers that name it.
  const own = usable.find(({ projectId, labels }) => projectId === caller.projectId && labels === undefined)
  return own ?? usable.find(({ shared }) => shared) ?? makeTopology(work, caller)
}

/** A network of the project's own with a router to the outside, as Neutron's auto-allocated topology. */
export async function makeTopology(work: Work, caller: Caller): Promise<Network> {
  const { tables } = work
  const { projectId } = caller
  const external = await oldestExternal(tables, caller)
  const outside = external ? await tables.subnets.ofNetworks([external.id]) : []
  const others = (await tables.networks.visible(projectId)).filter((network) => network.projectId === projectId)
  const inside = await tables.subnets.ofNetworks(others.map(({ id }) => id))
  const network = await createNetwork(work, projectId, { name: 'private', shared: false, external: false, usual: true })
  const subnet = await createSubnet(work, network, { name: 'private', cidr: cidrBeside([...outside, ...inside]) })
  await addSubnet(work, await makeRouter(work, caller), subnet)
  return network
}

/** A router to the outside, where there is one. */
export async function makeRouter(work: Work, caller: Caller): Promise<Router> {
  const external = await oldestExternal(work.tables, caller)
  const outside = external ? await work.tables.subnets.ofNetworks([external.id]) : []
  const router = await createRouter(work, caller.projectId, 'router')
  const leadsOut = outside.some(({ version, gateway }) => version === 4 && gateway !== null)
  return external && leadsOut ? setGateway(work, router, external, true) : router
}

/** 10.100.0.0/20, room for 4,000 containers, unless the operator has put the outside, or the project something, there. */
function cidrBeside(outside: readonly Subnet[]): string {
  const candidates = Array.from({ length: 156 }, (_, index) => `10.${100 + index}.0.0/20`)
  const isFree = (cidr: string) => !outside.some((subnet) => overlap(blockOf(subnet.cidr), blockOf(cidr)))
  return candidates.find(isFree) ?? '192.168.96.0/20'
}

/** Makes the external network `public` with the host's own address as its gateway, unless there is an external one. */
export function ensurePublic(parts: Parts, publicCidr: string, owner: Network['projectId']): Promise<Network> {
  return transact(parts, async (work) => {
    const existing = await externalOf(work.tables)
    if (existing) return existing
    const block = parseBlock(publicCidr)
    if (block?.version !== 4) throw new Error(`the public network needs an IPv4 subnet, not ${publicCidr}`)
    const network = await createNetwork(work, owner, { name: 'public', shared: false, external: true })
    await createSubnet(work, network, { name: 'public', cidr: publicCidr })
    return network
  })
}

async function externalOf(tables: Tables): Promise<Network | undefined> {
  return (await tables.networks.visible(null)).find(({ external }) => external)
}
