import { type AskedIp, blockOf, formatAddress, isForInterfaces, lowestFree, parseAddress } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { FixedIp, IpVersion, Network, Subnet } from '@gantry/model'
import { conflict, invalid, type Work } from './parts.ts'

/**
 * Addresses for a new port: what was asked for, else one of each IP version that the network has. The store's unique claim
 * has the last word on an address that was asked for.
 */
export async function chooseAddresses(
  work: Work,
  network: Network,
  asked: readonly AskedIp[] | undefined,
): Promise<FixedIp[]> {
  const subnets = await work.tables.subnets.ofNetworks([network.id])
  const chosen: FixedIp[] = []
  const wanted: readonly Wanted[] = asked ? asked.map((ip) => wantedOf(network, subnets, ip)) : versionsOf(subnets)
  for (const { address, among, where } of wanted) {
    const [first] = among
    if (address !== undefined && first) {
      if (chosen.some((ip) => ip.address === address)) throw invalid(`Address ${address} is asked for twice.`)
      chosen.push({ subnetId: first.id, address })
    } else {
      chosen.push(await freeAddress(work, among, chosen, where))
    }
  }
  return chosen
}

interface Wanted {
  /** undefined: any free one. */
  readonly address?: string
  readonly among: readonly Subnet[]
  /** For the person who reads that there was none. */
  readonly where: string
}

/** The first free address of the first subnet with room. */
export async function freeAddress(
  { tables }: Pick<Work, 'tables'>,
  subnets: readonly Subnet[],
  besides: readonly FixedIp[],
  where: string,
): Promise<FixedIp> {
  for (const { id, pools } of subnets) {
    const taken = new Set(await tables.ports.addressesOf(id))
    for (const ip of besides) if (ip.subnetId === id) taken.add(ip.address)
    const address = lowestFree(pools, taken)
    if (address !== undefined) return { subnetId: id, address }
  }
  throw new Fault('address.none-left', { subnet: where })
}

function versionsOf(subnets: readonly Subnet[]): Wanted[] {
  return ([4, 6] satisfies IpVersion[])
    .map((version) => subnets.filter((subnet) => subnet.version === version))
    .filter(({ length }) => length > 0)
    .map((among) => ({ among, where: among.map(({ cidr }) => `subnet ${cidr}`).join(' and ') }))
}

function wantedOf(network: Network, subnets: readonly Subnet[], { subnet: ref, address: text }: AskedIp): Wanted {
  const among = ref === undefined ? subnets : [subnetAmong(network, subnets, ref)]
  if (text === undefined) {
    if (among.length === 0) throw conflict(`Network ${network.name} has no subnet to take an address from.`)
    return { among, where: among.map(({ cidr }) => `subnet ${cidr}`).join(' and ') }
  }
  const address = parseAddress(text)
  if (!address) throw invalid(`${text} is not an IP address.`)
  const subnet = among.find(({ cidr }) => isForInterfaces(address, blockOf(cidr)))
  if (!subnet) {
    const ranges = among.map(({ cidr }) => cidr).join(', ') || 'none'
    throw invalid(`Address ${text} is not one that a port on network ${network.name} can have; its subnets: ${ranges}.`)
  }
  return { address: formatAddress(address), among: [subnet], where: subnet.cidr }
}

function subnetAmong(network: Network, subnets: readonly Subnet[], ref: string): Subnet {
  const exact = subnets.find(({ id }) => id === ref)
  if (exact) return exact
  const [first, second] = ref === '' ? [] : subnets.filter(({ name }) => name === ref)
  if (!first) throw invalid(`There is no subnet ${ref} on network ${network.name}.`)
  if (second) throw new Fault('network.ambiguous', { type: 'subnet', name: ref })
  return first
}
