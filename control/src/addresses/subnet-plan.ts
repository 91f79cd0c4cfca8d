import { Fault, type Ids } from '@gantry/kernel'
import type { AddressRange } from '@gantry/model'
import type { AskedSubnet, NewWholeNetwork } from '../ports/networks.ts'
import { blockOf, formatAddress, isForInterfaces, overlap, parseAddress, parseBlock } from './addresses.ts'

/** The subnets of a network that is to be made whole, apart from `taken`. Throws `network.overlap`, `request.invalid`. */
export function plannedSubnets(
  ids: Ids,
  { subnets, ipv6 }: Pick<NewWholeNetwork, 'subnets' | 'ipv6'>,
  taken: readonly string[],
): AskedSubnet[] {
  const versions = subnets.map(({ cidr }) => {
    const block = parseBlock(cidr)
    if (!block) throw invalid(`invalid CIDR address: ${cidr}`)
    const other = taken.find((each) => overlap(blockOf(each), block))
    if (other !== undefined) throw new Fault('network.overlap', { cidr, other })
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

/** 10.200.0.0/24. */
const firstPlace = 200 << 8

/** A /24 out of 10.0.0.0/8, from its upper part on, which people use least for what they number by hand. */
export function freeCidr(taken: readonly string[]): string {
  const blocks = taken.map(blockOf)
  for (let at = 0; at < 1 << 16; at += 1) {
    const place = (at + firstPlace) % (1 << 16)
    const cidr = `10.${place >> 8}.${place & 255}.0/24`
    if (!blocks.some((other) => overlap(other, blockOf(cidr)))) return cidr
  }
  throw new Fault('network.conflict', { problem: 'No subnet of 10.0.0.0/8 is free in this project; name one.' })
}

/** What is given out of a subnet; undefined: everything. Throws `request.invalid`. */
export function poolsOf({ cidr, gateway, range, reserved }: AskedSubnet): AddressRange[] | undefined {
  if (range === undefined && reserved.length === 0) return undefined
  const block = blockOf(cidr)
  const within = range === undefined ? block : parseBlock(range)
  if (!within || !overlap(within, block) || within.prefix < block.prefix) {
    throw invalid(`${range} is not a range within subnet ${cidr}.`)
  }
  const { version } = block
  const inWords = (value: bigint) => formatAddress({ version, value })
  const last = version === 4 ? block.last - 1n : block.last
  const end = within.last < last ? within.last : last
  const kept = [gateway ?? inWords(block.first + 1n), ...reserved].map((text) => {
    const address = parseAddress(text)
    if (!address || !isForInterfaces(address, block)) throw invalid(`${text} is not an address within subnet ${cidr}.`)
    return address.value
  })
  const pools: AddressRange[] = []
  let from = within.first > block.first ? within.first : block.first + 1n
  for (const value of [...kept.toSorted((a, b) => (a < b ? -1 : 1)), end + 1n]) {
    if (value < from || value > end + 1n) continue
    if (from < value) pools.push({ start: inWords(from), end: inWords(value - 1n) })
    from = value + 1n
  }
  return pools
}

function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}
