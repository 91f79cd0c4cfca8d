import { type AskedSubnet, blockOf, formatAddress, freeCidr, overlap, parseBlock, poolsOf } from '@gantry/control'
import type { AddressRange } from '@gantry/model'
import { invalid } from './verb-faults.ts'

/** For a project's usual network: room for 4,000 containers, unless something is there. */
export function roomyCidr(taken: readonly string[]): string {
  const blocks = taken.map(blockOf)
  const candidates = Array.from({ length: 100 }, (_, index) => `10.${100 + index}.0.0/20`)
  const free = candidates.find((cidr) => !blocks.some((other) => overlap(other, blockOf(cidr))))
  return free ?? freeCidr(taken)
}

/** The first address after that of the subnet itself, which Neutron would take for a gateway in IPv6. undefined: not a CIDR. */
export function firstAddress(cidr: string): string | undefined {
  const block = parseBlock(cidr)
  return block && formatAddress({ version: block.version, value: block.first + 1n })
}

/** As `poolsOf`; Neutron would take an empty list for everything. */
export function poolsWithin(subnet: AskedSubnet): AddressRange[] | undefined {
  const pools = poolsOf(subnet)
  if (pools?.length === 0) throw invalid(`Of ${subnet.range ?? subnet.cidr} no address is left to give out.`)
  return pools
}
