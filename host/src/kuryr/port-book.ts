import { BoundedMap } from '@gantry/kernel'
import { allOf, firstOf, type Port } from '@gantry/openstack'
import type { Site } from './site.ts'

/**
 * Finds the ports of addresses and endpoints. Between the calls that begin one container, and those that end it, it is remembered what
 * Neutron answered; a plugin that was started in between asks Neutron.
 */
export interface PortBook {
  /** The newest that is known of a port. */
  keep(port: Port): void
  drop(portId: string): void
  known(portId: string): Port | undefined
  ofEndpoint(endpointId: string): Promise<Port | null>
  /** A port with that address in that network, whosever it is. */
  ofAddress(networkId: string, address: string): Promise<Port | null>
  ofMac(networkId: string, mac: string): Promise<Port | null>
}

const most = 5000

export function portBook(site: Site): PortBook {
  const byId = new BoundedMap<string, Port>(most)
  const find = (fits: (port: Port) => boolean): Port | null => {
    for (const [, port] of byId.entries()) if (fits(port)) return port
    return null
  }
  // As the user who binds: only to her Neutron tells how a port is bound.
  const list = async (query: Readonly<Record<string, string>>) =>
    site.binding.ports.list({ ...query, project_id: await site.project() }, site.context())

  return {
    keep: (port) => byId.set(port.id, port),
    drop: (portId) => byId.delete(portId),
    known: (portId) => byId.get(portId),
    ofEndpoint: async (endpointId) => {
      const known = find((port) => port.device_id === endpointId)
      if (known) return known
      const port = await firstOf(await list({ device_id: endpointId }))
      if (port) byId.set(port.id, port)
      return port
    },
    ofAddress: async (networkId, address) => {
      const known = find((port) => port.network_id === networkId && hasAddress(port, address))
      if (known) return known
      const all = await allOf(await list({ network_id: networkId, fixed_ips: `ip_address=${address}` }))
      return all.find((port) => hasAddress(port, address)) ?? null
    },
    ofMac: async (networkId, mac) => firstOf(await list({ network_id: networkId, mac_address: mac })),
  }
}

function hasAddress({ fixed_ips }: Port, address: string): boolean {
  return fixed_ips.some(({ ip_address }) => ip_address === address)
}
