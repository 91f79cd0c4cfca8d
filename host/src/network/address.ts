import { isIPv4, isIPv6 } from 'node:net'

/** `mac` in canonical form. Throws unless it is a MAC address: rules and commands are made of it. */
export function checkedMac(mac: string): string {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw new Error(`"${mac}" is not a MAC address.`)
  return mac.toLowerCase()
}

/** `address`, which must be an IP address of that version. */
export function checkedAddress(address: string, version: number): string {
  if (version === 4 ? isIPv4(address) : isIPv6(address) && !address.includes('%')) return address
  throw new Error(`"${address}" is not an IPv${version} address.`)
}

/** Whether it is like `10.0.0.0/24`, of that version. */
export function isPrefix(cidr: string, version: number): boolean {
  const [address = '', length = '', more] = cidr.split('/')
  const isAddress = version === 4 ? isIPv4(address) : isIPv6(address) && !address.includes('%')
  return isAddress && more === undefined && /^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128)
}

/** `cidr`, which must be a prefix of that version. */
export function checkedPrefix(cidr: string, version: number): string {
  if (isPrefix(cidr, version)) return cidr
  throw new Error(`"${cidr}" is not an IPv${version} prefix.`)
}

export function prefixLength(cidr: string): number {
  return Number(cidr.split('/')[1])
}

/** The link-local address that Linux gives an interface with this MAC (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = checkedMac(mac)
    .split(':')
    .map((part) => Number.parseInt(part, 16))
  const words = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f]
  return `fe80::${words.map((word) => word.toString(16)).join(':')}`
}

/** An IPv6 address as one number of 128 bits, in hex, as raw payload is compared with. */
export function hexOfIpv6(address: string): string {
  const [head = '', tail] = withoutDottedQuad(address).split('::')
  const wordsOf = (text: string) => (text === '' ? [] : text.split(':'))
  const [before, after] = [wordsOf(head), tail === undefined ? [] : wordsOf(tail)]
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0')
  return `0x${[...before, ...zeros, ...after].map((word) => word.padStart(4, '0')).join('')}`
}

/** `::ffff:10.0.0.1` as `::ffff:a00:1`. */
function withoutDottedQuad(address: string): string {
  const quad = /\d+\.\d+\.\d+\.\d+$/.exec(address)?.[0]
  if (quad === undefined) return address
  const [a = 0, b = 0, c = 0, d = 0] = quad.split('.').map(Number)
  return `${address.slice(0, -quad.length)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
