import type { AskedSubnet, NetworkVerbs, NewWholeNetwork } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { AddressRange, Caller, Network, Router, Subnet } from '@gantry/model'
import { blockOf, formatAddress, isForInterfaces, overlap, parseAddress, parseBlock } from './addresses.ts'
import { createNetwork, usesOf } from './networks.ts'
import { conflict, invalid, type Parts, transact, type Work } from './parts.ts'
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
  const asked = askedSubnets(work, input, taken)
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

function askedSubnets({ ids }: Work, { subnets, ipv6 }: NewWholeNetwork, taken: readonly Subnet[]): AskedSubnet[] {
  const versions = subnets.map(({ cidr }) => {
    const block = parseBlock(cidr)
    if (!block) throw invalid(`invalid CIDR address: ${cidr}`)
    const other = taken.find((subnet) => overlap(blockOf(subnet.cidr), block))
    if (other) throw new Fault('network.overlap', { cidr, other: other.cidr })
    return block.version
  })
  if (new Set(versions).size < versions.length) {
    throw invalid('A network has at most one IPv4 subnet and one IPv6 subnet here.')
  }
  const four = versions.includes(4) ? [] : [{ cidr: freeCidr(taken), reserved: [] }]
  // RFC 4193: 40 random bits make it nobody else's.
  const [a, b, c] = ids.hex(5).match(/^..|..../g) ?? []
  const six = versions.includes(6) || !ipv6 ? [] : [{ cidr: `fd${a}:${b}:${c}::/64`, reserved: [] }]
  return [...four, ...subnets, ...six]
}

/** What is given out of a subnet; undefined: everything. */
function poolsOf({ cidr, gateway, range, reserved }: AskedSubnet): AddressRange[] | undefined {
  if (range === undefined && reserved.length === 0) return undefined
  const block = blockOf(cidr)
  const within = range === undefined ? block : parseBlock(range)
  if (!within || !overlap(within, block) || within.prefix < block.prefix) {
    throw invalid(`${range} is not a range within subnet ${cidr}.`)
  }
  const { version } = block
  const last = version === 4 ? block.last - 1n : block.last
  let from = within.first > block.first ? within.first : block.first + 1n
  const to = within.last < last ? within.last : last
  const out = [gateway ?? formatAddress({ version, value: block.first + 1n }), ...reserved].map((text) => {
    const address = parseAddress(text)
    if (!address || !isForInterfaces(address, block)) throw invalid(`${text} is not an address within subnet ${cidr}.`)
    return address.value
  })
  const pools: AddressRange[] = []
  const add = (end: bigint) => {
    if (from > end) return
    pools.push({ start: formatAddress({ version, value: from }), end: formatAddress({ version, value: end }) })
  }
  for (const value of out.toSorted((a, b) => (a < b ? -1 : 1))) {
    if (value < from || value > to) continue
    add(value - 1n)
    from = value + 1n
  }
  add(to)
  return pools
}

/** A /24 out of 10.0.0.0/8, from its upper part on, which people use least for what they number by hand. */
function freeCidr(taken: readonly Subnet[]): string {
  const blocks = taken.filter(({ version }) => version === 4).map(({ cidr }) => blockOf(cidr))
  for (let at = 0; at < 1 << 16; at += 1) {
    const place = (at + firstPlace) % (1 << 16)
    const cidr = `10.${place >> 8}.${place & 255}.0/24`
    const block = blockOf(cidr)
    if (!blocks.some((other) => overlap(other, block))) return cidr
  }
  throw conflict('No subnet of 10.0.0.0/8 is free in this project; name one.')
}

/** 10.200.0.0/24. */
const firstPlace = 200 << 8

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
