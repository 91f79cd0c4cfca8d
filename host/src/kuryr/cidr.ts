import { isIP } from 'node:net'

/** Addresses of one family from `first` to `last`, as numbers. */
export interface Block {
  readonly version: 4 | 6
  readonly first: bigint
  readonly last: bigint
  /** Length in bits. */
  readonly prefix: number
}

export interface Range {
  readonly start: string
  readonly end: string
}

/** `10.0.0.0/16`; null if it is none. Bits beyond the prefix are dropped. */
export function parseBlock(text: string): Block | null {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const address = match?.[1] ?? ''
  const version = isIP(address)
  const bits = version === 4 ? 32 : 128
  const prefix = Number(match?.[2])
  if ((version !== 4 && version !== 6) || prefix > bits) return null
  const size = 1n << BigInt(bits - prefix)
  const first = (valueOf(address) / size) * size
  return { version, first, last: first + size - 1n, prefix }
}

/** The first address that a machine may have: routers usually have it. Null if `cidr` is none. */
export function firstHost(cidr: string): string | null {
  const block = parseBlock(cidr)
  if (!block) return null
  return format(block.version, block.last - block.first < 2n ? block.first : block.first + 1n)
}

/** Whether every address of `inner` is in `outer`. */
export function contains(outer: string, inner: string): boolean {
  const [large, small] = [parseBlock(outer), parseBlock(inner)]
  if (!large || !small || large.version !== small.version) return false
  return large.first <= small.first && small.last <= large.last
}

export function isAddressIn(cidr: string, address: string): boolean {
  const version = isIP(address)
  return version !== 0 && contains(cidr, `${address}/${version === 4 ? 32 : 128}`)
}

/** `10.0.0.5/16` to its address. */
export function addressOf(text: string): string {
  return text.split('/')[0] ?? ''
}

/** The same text for the same block, as Neutron and Docker both write it. */
export function sameBlock(one: string, other: string): boolean {
  return contains(one, other) && contains(other, one)
}

/**
 * What may be handed out of a subnet: all of it, or of `range` within it, without `except` and without the two addresses that are
 * the network's own.
 */
export function allocationRanges(cidr: string, range: string | null, except: readonly string[]): Range[] {
  const whole = parseBlock(cidr)
  const part = range === null ? whole : parseBlock(range)
  if (!whole || !part) return []
  const lowest = whole.first + 1n
  const highest = whole.version === 4 ? whole.last - 1n : whole.last
  const end = part.last < highest ? part.last : highest
  const holes = except.map(valueOf).sort((one, other) => (one < other ? -1 : 1))
  const ranges: Range[] = []
  let next = part.first > lowest ? part.first : lowest
  for (const hole of [...holes, end + 1n]) {
    if (hole < next || hole > end + 1n) continue
    if (hole > next) ranges.push({ start: format(whole.version, next), end: format(whole.version, hole - 1n) })
    next = hole + 1n
  }
  return ranges
}

function valueOf(address: string): bigint {
  if (isIP(address) === 4) return address.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n)
  // The URL parser knows every way of writing one, and writes it without dots.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const groupsOf = (part: string | undefined) => (part === undefined || part === '' ? [] : part.split(':'))
  const [before, after] = [groupsOf(head), groupsOf(tail)]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n)
}

function format(version: 4 | 6, value: bigint): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(16 * (7 - at))) & 0xffffn).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
