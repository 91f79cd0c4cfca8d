import { blockOf, type Tables } from '@gantry/control'
import type { Nic, NicAddress, Port } from '@gantry/model'

/** A port as its host must plug it. */
export async function nicOf(tables: Tables, port: Port): Promise<Nic> {
  const addresses: NicAddress[] = []
  for (const { subnetId, address } of port.fixedIps) {
    const subnet = await tables.subnets.get(subnetId)
    if (!subnet) continue
    const { version, cidr, gateway } = subnet
    addresses.push({ address, prefix: blockOf(cidr).prefix, version, subnetId, gateway })
  }
  const { id: portId, networkId, mac, filtered, preserve } = port
  return { portId, networkId, mac, addresses, groups: [...port.groups], filtered, preserve }
}
