import type { Nic } from '@gantry/model'
import { BlockList, isIPv4 } from 'node:net'

export interface NicRoute {
  readonly destination: string
  /** null: whoever is there is on the network itself. */
  readonly nextHop: string | null
}

/** By which machine of its network a container gets everywhere else; null: by none. */
export function gatewayOf(nic: Nic, version: 4 | 6): string | null {
  const toAll = (nic.binding?.routes ?? []).find(({ destination }) => isDefault(destination, version))
  const gateway = toAll?.nextHop ?? nic.addresses.find((each) => each.version === version)?.gateway ?? null
  // One that is not on its network is refused by the kernel, and the container would not start.
  return gateway !== null && nic.binding && !isBeside(nic, gateway) ? null : gateway
}

/** The routes of its subnets that can be; the default one is `gatewayOf`'s. Pure. */
export function routesOf(nic: Nic): NicRoute[] {
  return (nic.binding?.routes ?? []).flatMap(({ destination, nextHop }): NicRoute[] => {
    if (isDefault(destination, 4) || isDefault(destination, 6)) return []
    if (nextHop === '0.0.0.0' || nextHop === '::') return [{ destination, nextHop: null }]
    return isBeside(nic, nextHop) ? [{ destination, nextHop }] : []
  })
}

/** Whether a machine is on one of the subnets that a port has an address of. */
function isBeside({ addresses }: Nic, machine: string): boolean {
  const subnets = new BlockList()
  for (const { address, prefix, version } of addresses) subnets.addSubnet(address, prefix, familyOf(version))
  return subnets.check(machine, familyOf(isIPv4(machine) ? 4 : 6))
}

function isDefault(destination: string, version: 4 | 6): boolean {
  const [address = '', length] = destination.split('/')
  return length === '0' && isIPv4(address) === (version === 4)
}

function familyOf(version: 4 | 6): 'ipv4' | 'ipv6' {
  return version === 4 ? 'ipv4' : 'ipv6'
}
