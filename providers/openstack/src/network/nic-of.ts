import type { NetworkId, Nic, NicAddress, NicBinding, PortId, SecurityGroupId, SubnetId, Vif } from '@gantry/model'
import type { Port } from '@gantry/openstack'
import type { Ground } from './lookups.ts'

/** A port of Neutron's as its host must plug it. `vif`: how that will be, as far as anybody knows by now. */
export function nicOf(port: Port, { network, subnets }: Ground, preserve: boolean, vif: Vif | null): Nic {
  const mine = port.fixed_ips.map(({ subnet_id, ip_address }) => ({
    address: ip_address,
    subnet: subnets.find(({ id }) => id === subnet_id),
    subnetId: subnet_id as SubnetId,
  }))
  const addresses = mine.map(({ address, subnet, subnetId }): NicAddress => {
    const isOld = !address.includes(':')
    return {
      address,
      prefix: Number(subnet?.cidr.split('/')[1] ?? (isOld ? 32 : 128)),
      version: isOld ? 4 : 6,
      subnetId,
      gateway: subnet?.gateway_ip ?? null,
    }
  })
  const used = mine.flatMap(({ subnet }) => subnet ?? [])
  const binding: NicBinding = {
    mtu: network.mtu ?? 1500,
    dnsServers: [...new Set(used.flatMap(({ dns_nameservers = [] }) => dns_nameservers))],
    routes: used.flatMap(({ host_routes = [] }) =>
      host_routes.map(({ destination, nexthop }) => ({ destination, nextHop: nexthop })),
    ),
    vif,
  }
  return {
    portId: port.id as PortId,
    networkId: port.network_id as NetworkId,
    mac: port.mac_address,
    addresses: [...addresses].sort((a, b) => a.version - b.version),
    groups: (port.security_groups ?? []) as SecurityGroupId[],
    filtered: port.port_security_enabled !== false,
    preserve,
    binding,
  }
}
