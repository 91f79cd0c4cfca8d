import {
  type Address,
  type Block,
  blockOf,
  canonicalAddress,
  defaultPools,
  formatAddress,
  formatBlock,
  isForInterfaces,
  type NetworkVerbs,
  type NewSubnet,
  overlap,
  parseAddress,
  parseBlock,
  purposeOf,
} from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { AddressRange, Network, Subnet, SubnetId } from '@gantry/model'
import { enforceLimit } from './limits.ts'
import { usesOf } from './networks.ts'
import { checkName, conflict, invalid, type Parts, scopeOf, transact, type Work } from './parts.ts'
import { networkBy, ownNetworkBy, requireOwner, subnetBy } from './sight.ts'

export function subnets(parts: Parts): NetworkVerbs['subnets'] {
  return {
    create: (caller, input) =>
      transact(parts, async (work) => {
        const network = await ownNetworkBy(work.tables, caller, input.network, 'Adding a subnet')
        return createSubnet(work, network, input)
      }),
    async list(caller, options = {}) {
      const { store } = parts
      const scope = scopeOf(caller, options)
      const among =
        options.network === undefined
          ? await store.networks.visible(scope)
          : [await networkBy(store, caller, options.network)]
      return store.subnets.ofNetworks(among.map(({ id }) => id))
    },
    get: (caller, ref) => subnetBy(parts.store, caller, ref),
    delete: (caller, ref) =>
      transact(parts, async ({ tables, touched }) => {
        const { id, cidr, networkId } = await subnetBy(tables, caller, ref)
        const network = await tables.networks.get(networkId)
        if (network) requireOwner(caller, network, 'Deleting this subnet')
        const ports = (await tables.ports.ofNetwork(networkId)).filter(({ fixedIps }) =>
          fixedIps.some(({ subnetId }) => subnetId === id),
        )
        if (ports.length > 0) throw new Fault('network.in-use', { type: 'subnet', ref: cidr, reason: usesOf(ports) })
        await tables.subnets.remove(id)
        touched.networks.add(networkId)
      }),
  }
}

export async function createSubnet(work: Work, network: Network, input: Omit<NewSubnet, 'network'>): Promise<Subnet> {
  const { tables, ids, clock, touched } = work
  const { id: networkId, projectId } = network
  const block = checkBlock(input.cidr)
  await enforceLimit(work, projectId, 'subnets')
  for (const { cidr } of await tables.subnets.ofNetworks([networkId])) {
    if (overlap(block, blockOf(cidr))) throw conflict(`${input.cidr} overlaps with subnet ${cidr} of the same network.`)
  }
  const gateway = gatewayOf(block, input.gateway)
  const subnet: Subnet = {
    id: ids.uuid() as SubnetId,
    networkId,
    projectId,
    name: checkName(input.name, 'subnet'),
    version: block.version,
    cidr: formatBlock(block),
    gateway: gateway && formatAddress(gateway),
    pools: input.pools ? checkPools(block, gateway, input.pools) : defaultPools(block, gateway),
    dnsServers: (input.dnsServers ?? []).map(checkDnsServer),
    createdAt: clock.now(),
  }
  await tables.subnets.insert(subnet)
  touched.networks.add(networkId)
  return subnet
}

/** Prefixes that leave room for a gateway and a port, and are no larger than what is ever given to somebody. */
const prefixes = { 4: [8, 30], 6: [16, 126] } as const
const unusable = new Set(['multicast', 'loopback', 'linkLocal', 'unspecified', 'broadcast', 'ipv4Mapped'])

function checkBlock(cidr: string): Block {
  const block = parseBlock(cidr)
  if (!block) throw invalid(`${cidr} is not a subnet like 10.0.0.0/24 or fd00:1::/64.`)
  const [shortest, longest] = prefixes[block.version]
  if (block.prefix < shortest || block.prefix > longest) {
    throw invalid(`The prefix of an IPv${block.version} subnet is /${shortest} to /${longest}, not /${block.prefix}.`)
  }
  const canonical = formatBlock(block)
  const address = parseAddress(cidr.split('/')[0] ?? '')
  if (address?.value !== block.first) {
    throw invalid(`${cidr} names an address within a subnet; the subnet is ${canonical}.`)
  }
  const purpose = purposeOf(block)
  if (unusable.has(purpose)) throw invalid(`${canonical} is set aside (${purpose}) and cannot be a subnet.`)
  return block
}

function gatewayOf(block: Block, asked: string | null | undefined): Address | null {
  if (asked === null) return null
  if (asked === undefined) return { version: block.version, value: block.first + 1n }
  const gateway = parseAddress(asked)
  if (!gateway || !isForInterfaces(gateway, block)) {
    throw invalid(`Gateway ${asked} is not an address that an interface in ${formatBlock(block)} can have.`)
  }
  return gateway
}

function checkPools(block: Block, gateway: Address | null, pools: readonly AddressRange[]): AddressRange[] {
  const { version } = block
  const ranges = pools
    .map(({ start, end }) => {
      const [from, to] = [parseAddress(start), parseAddress(end)]
      const fits = from && to && isForInterfaces(from, block) && isForInterfaces(to, block) && from.value <= to.value
      if (!fits) throw invalid(`${start} to ${end} is not a range of addresses for ports in ${formatBlock(block)}.`)
      return { from: from.value, to: to.value }
    })
    .toSorted((one, other) => (one.from < other.from ? -1 : 1))
  for (const [index, { from, to }] of ranges.entries()) {
    if (gateway && gateway.value >= from && gateway.value <= to) {
      throw conflict(`The gateway ${formatAddress(gateway)} lies in a pool; leave it out of the pools.`)
    }
    const before = ranges[index - 1]
    if (before && before.to >= from) throw conflict('Two of the pools overlap.')
  }
  return ranges.map(({ from, to }) => ({
    start: formatAddress({ version, value: from }),
    end: formatAddress({ version, value: to }),
  }))
}

function checkDnsServer(text: string): string {
  const address = canonicalAddress(text)
  if (address === undefined) throw invalid(`${text} is not the IP address of a DNS server.`)
  return address
}
