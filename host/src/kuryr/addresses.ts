import type { Subnet } from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'
import { addressOf, firstHost } from './cidr.ts'
import { addressOptions, type ReleaseAddress, type RequestAddress } from './messages.ts'
import { poolRefOf } from './names.ts'
import type { NetBook } from './net-book.ts'
import type { PortBook } from './port-book.ts'
import type { PortCare } from './port-care.ts'
import type { Site } from './site.ts'

export interface Addresses {
  request(body: RequestAddress): Promise<object>
  release(body: ReleaseAddress): Promise<object>
}

/** Docker's addresses: each is a port of Neutron's, but for gateways. */
export function addresses(site: Site, book: NetBook, ports: PortBook, care: PortCare): Addresses {
  const blockOf = async (poolId: string, cidr: string | null, subnet: Subnet | null): Promise<string> => {
    const known = subnet?.cidr ?? cidr
    if (known !== null) return known
    const [prefix] = (await site.neutron.subnetPools.show(poolId, site.context())).prefixes
    if (prefix === undefined) throw new PluginRefusal(409, `Subnet pool ${poolId} has no addresses.`)
    return prefix
  }

  return {
    request: async ({ PoolID, Address = '', Options }) => {
      const ref = poolRefOf(PoolID)
      const subnet = await book.subnetOf(ref)
      const cidr = await blockOf(ref.poolId, ref.cidr, subnet)
      const answer = (address: string) => ({ Address: `${address}/${cidr.split('/')[1] ?? ''}`, Data: {} })
      if (Options?.[addressOptions.type] === addressOptions.gateway) {
        const gateway = subnet ? gatewayOf(subnet, Address) : Address === '' ? firstHost(cidr) : Address
        return gateway === null ? { Address: cidr.includes(':') ? '::/0' : '0.0.0.0/0', Data: {} } : answer(gateway)
      }
      // Before its network is made Docker only wants to know whether an address is good (`--aux-address`).
      if (!subnet && Address !== '') return answer(Address)
      if (!subnet) throw new PluginRefusal(404, `Neutron has no subnet of pool ${PoolID} any more.`)
      const mac = Options?.[addressOptions.mac] ?? ''
      const port = await care.obtain(subnet, Address === '' ? null : Address, mac === '' ? null : mac)
      const fixed = port.fixed_ips.find(({ subnet_id }) => subnet_id === subnet.id)
      if (!fixed) throw new PluginRefusal(502, `Neutron gave port ${port.id} no address of subnet ${subnet.id}.`)
      return answer(fixed.ip_address)
    },

    release: async ({ PoolID, Address }) => {
      const subnet = await book.subnetOf(poolRefOf(PoolID))
      const address = addressOf(Address)
      if (!subnet || care.wasReleased(subnet.network_id, address)) return {}
      const port = await ports.ofAddress(subnet.network_id, address)
      if (port && care.isOurs(port)) await care.release(port)
      return {}
    },
  }
}

/** Which address Docker may take for the gateway of a subnet that is there; null: it has none. */
function gatewayOf({ id, gateway_ip }: Subnet, wanted: string): string | null {
  const gateway = gateway_ip ?? null
  if (wanted !== '' && gateway !== null && wanted !== gateway) {
    throw new PluginRefusal(409, `Subnet ${id} has the gateway ${gateway}, not ${wanted}.`)
  }
  return gateway
}
