import { BlockList, isIPv4 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

const prefixLength = 22

/**
 * The addresses of the network `public`, from which routers (one a project) and floating IPs are served: 172.24.4.0/22, where
 * DevStack has its own, or the next of its size that this machine is not already in. Only counts at the first start; later the
 * cloud knows its own.
 */
export function freePublicCidr(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): string {
  const taken = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ cidr, address }) => cidr !== null && isIPv4(address))
  const candidates = Array.from({ length: 63 }, (_, index) => `172.24.${4 * (index + 1)}`)
  const free = candidates.find((prefix) => !taken.some(({ address, cidr }) => overlaps(prefix, address, cidr ?? '')))
  return `${free ?? candidates[0]}.0/${prefixLength}`
}

/** Two networks overlap when either holds the other's first address. */
function overlaps(prefix: string, address: string, cidr: string): boolean {
  const ours = new BlockList()
  ours.addSubnet(`${prefix}.0`, prefixLength)
  const theirs = new BlockList()
  theirs.addSubnet(address, Number(cidr.split('/')[1]))
  return ours.check(address) || theirs.check(`${prefix}.0`)
}
