import type { AddressRange, IpVersion } from '@gantry/model'
import ipaddr from 'ipaddr.js'

/** Addresses as numbers: `ipaddr.js` reads and writes them, everything between is arithmetic. */
export interface Address {
  readonly version: IpVersion
  readonly value: bigint
}

/** All addresses of a CIDR. */
export interface Block {
  readonly version: IpVersion
  readonly prefix: number
  readonly first: bigint
  readonly last: bigint
}

/** undefined: not an address. Short forms (`10.1`) and zones (`fe80::1%eth0`), which others read differently, are none. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(':')) {
    if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined
    return { version: 6, value: valueOf(ipaddr.IPv6.parse(text).toByteArray()) }
  }
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined
  return { version: 4, value: valueOf(ipaddr.IPv4.parse(text).toByteArray()) }
}

/** In canonical form (RFC 5952 for IPv6). */
export function formatAddress({ version, value }: Address): string {
  // By hand, because the search for a free address writes one for each that is taken.
  if (version === 4) {
    const bits = Number(value)
    return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`
  }
  const bytes = Array.from({ length: 16 }, (_, index) => Number((value >> BigInt(8 * (15 - index))) & 0xffn))
  return ipaddr.fromByteArray(bytes).toString()
}

/** undefined: not an address. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text)
  return address && formatAddress(address)
}

/** The block that the CIDR's address is in; undefined: not a CIDR. */
export function parseBlock(cidr: string): Block | undefined {
  const [, text = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? []
  const address = parseAddress(text)
  if (!address) return undefined
  const { version, value } = address
  const bits = bitsOf(version)
  const prefix = Number(length)
  if (prefix > bits) return undefined
  const size = 1n << BigInt(bits - prefix)
  const first = value - (value % size)
  return { version, prefix, first, last: first + size - 1n }
}

export function formatBlock({ version, first, prefix }: Block): string {
  return `${formatAddress({ version, value: first })}/${prefix}`
}

/** A block that was checked when it was stored. */
export function blockOf(cidr: string): Block {
  const block = parseBlock(cidr)
  if (!block) throw new Error(`not a CIDR: ${cidr}`)
  return block
}

export function bitsOf(version: IpVersion): 32 | 128 {
  return version === 4 ? 32 : 128
}

/** `unicast`, `private`, `multicast`, `loopback` …: the library's name for what the block's first address is for. */
export function purposeOf({ version, first }: Block): string {
  return ipaddr.parse(formatAddress({ version, value: first })).range()
}

export function isInside(address: Address, block: Block): boolean {
  return address.version === block.version && address.value >= block.first && address.value <= block.last
}

/** What an interface may have: in IPv4 neither the network's address nor the broadcast address, in IPv6 not the first. */
export function isForInterfaces(address: Address, block: Block): boolean {
  if (!isInside(address, block) || address.value === block.first) return false
  return address.version === 6 || address.value !== block.last
}

export function overlap(one: Block, other: Block): boolean {
  return one.version === other.version && one.first <= other.last && other.first <= one.last
}

/** Everything an interface may have except the gateway. */
export function defaultPools(block: Block, gateway: Address | null): AddressRange[] {
  const { version } = block
  const [start, end] = [block.first + 1n, version === 4 ? block.last - 1n : block.last]
  const ranges =
    gateway === null
      ? [[start, end]]
      : [
          [start, gateway.value - 1n],
          [gateway.value + 1n, end],
        ]
  return ranges
    .filter(([from = 0n, to = 0n]) => from <= to)
    .map(([from = 0n, to = 0n]) => ({
      start: formatAddress({ version, value: from }),
      end: formatAddress({ version, value: to }),
    }))
}

/** The lowest address of the pools that is not `taken`; undefined: none. */
export function lowestFree(pools: readonly AddressRange[], taken: ReadonlySet<string>): string | undefined {
  for (const { start, end } of pools) {
    const [from, to] = [parseAddress(start), parseAddress(end)]
    if (!from || !to) continue
    for (let { value } = from; value <= to.value; value += 1n) {
      const text = formatAddress({ version: from.version, value })
      if (!taken.has(text)) return text
    }
  }
  return undefined
}

function valueOf(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
