import { type CloudNetwork, parseAddress } from '@gantry/control'
import type {
  AddressRange,
  Caller,
  FloatingIp,
  FloatingIpId,
  IpVersion,
  Network,
  NetworkId,
  Port,
  PortForwarding,
  PortForwardingId,
  PortId,
  ProjectId,
  Router,
  RouterId,
  RouterInterface,
  SecurityGroup,
  SecurityGroupId,
  SecurityGroupRule,
  SecurityGroupRuleId,
  Subnet,
  SubnetId,
} from '@gantry/model'
import type * as neutron from '@gantry/openstack'

/** What Ethernet carries, where Neutron does not say. Bytes. */
const usualMtu = 1500

/** `note`: what is known of it here. */
export function networkOf(
  { id, name = '', project_id = '', shared, mtu, created_at, ...said }: neutron.Network,
  note?: CloudNetwork,
): Network {
  return {
    id: id as NetworkId,
    projectId: project_id as ProjectId,
    name,
    shared: shared === true,
    external: said['router:external'] === true,
    mtu: mtu ?? usualMtu,
    ...(note?.usual === true && note.projectId === project_id && { usual: true }),
    ...(note && note.labels !== null && { labels: note.labels }),
    createdAt: momentOf(created_at),
  }
}

export function subnetOf(said: neutron.Subnet): Subnet {
  return {
    id: said.id as SubnetId,
    networkId: said.network_id as NetworkId,
    projectId: (said.project_id ?? '') as ProjectId,
    name: said.name ?? '',
    version: said.ip_version,
    cidr: said.cidr,
    gateway: said.gateway_ip ?? null,
    pools: inOrder(said.allocation_pools ?? []),
    dnsServers: said.dns_nameservers ?? [],
    createdAt: momentOf(said.created_at),
  }
}

/** Neutron tells them in any order. */
function inOrder(pools: readonly AddressRange[]): AddressRange[] {
  const startOf = ({ start }: AddressRange) => parseAddress(start)?.value ?? 0n
  return pools.toSorted((one, other) => (startOf(one) < startOf(other) ? -1 : 1))
}

/** `mark`: the description of ports that were made for containers and go with them. */
export function portOf(said: neutron.Port, mark: string): Port {
  return {
    id: said.id as PortId,
    projectId: (said.project_id ?? '') as ProjectId,
    networkId: said.network_id as NetworkId,
    name: said.name ?? '',
    mac: said.mac_address.toLowerCase(),
    fixedIps: said.fixed_ips.map(({ subnet_id, ip_address }) => ({
      subnetId: subnet_id as SubnetId,
      address: ip_address,
    })),
    groups: (said.security_groups ?? []) as SecurityGroupId[],
    filtered: said.port_security_enabled !== false,
    deviceId: said.device_id === undefined || said.device_id === '' ? null : said.device_id,
    deviceOwner: interfaceOwners.includes(said.device_owner ?? '')
      ? 'network:router_interface'
      : (said.device_owner ?? ''),
    // Neutron's hosts have no ids of ours.
    hostId: null,
    preserve: said.description !== mark,
    createdAt: momentOf(said.created_at),
  }
}

/** Of the ports that are routers' interfaces: of plain, distributed and highly available routers. */
export const interfaceOwners: readonly string[] = [
  'network:router_interface',
  'network:router_interface_distributed',
  'network:ha_router_replicated_interface',
]

export function groupOf(said: neutron.SecurityGroup): SecurityGroup {
  return {
    id: said.id as SecurityGroupId,
    projectId: (said.project_id ?? '') as ProjectId,
    name: said.name,
    description: said.description ?? '',
    rules: (said.security_group_rules ?? []).map(ruleOf),
    createdAt: momentOf(said.created_at),
  }
}

/** Neutron knows ICMP of IPv6 by three names. */
const icmpOfSix: readonly string[] = ['ipv6-icmp', 'icmpv6', '58']

export function ruleOf(said: neutron.SecurityGroupRule): SecurityGroupRule {
  const version: IpVersion = said.ethertype?.toLowerCase() === 'ipv6' ? 6 : 4
  const protocol = said.protocol ?? null
  return {
    id: said.id as SecurityGroupRuleId,
    groupId: said.security_group_id as SecurityGroupId,
    direction: said.direction,
    version,
    protocol: protocol !== null && icmpOfSix.includes(protocol) ? 'icmpv6' : protocol,
    portMin: said.port_range_min ?? null,
    portMax: said.port_range_max ?? null,
    remoteGroupId: (said.remote_group_id ?? null) as SecurityGroupId | null,
    remotePrefix: said.remote_ip_prefix ?? null,
  }
}

/** `legs`: ports that are interfaces of routers, of this one and maybe others. */
export function routerOf(said: neutron.Router, legs: readonly neutron.Port[]): Router {
  const gateway = said.external_gateway_info ?? null
  const addresses = gateway?.external_fixed_ips?.flatMap(({ ip_address }) => ip_address ?? []) ?? []
  return {
    id: said.id as RouterId,
    projectId: (said.project_id ?? '') as ProjectId,
    name: said.name,
    gateway: gateway && {
      networkId: gateway.network_id as NetworkId,
      portId: '' as PortId,
      address: addresses.find((address) => !address.includes(':')) ?? addresses[0] ?? '',
      snat: gateway.enable_snat !== false,
    },
    interfaces: legs.filter(({ device_id }) => device_id === said.id).flatMap(interfacesOf),
    createdAt: momentOf(said.created_at),
  }
}

function interfacesOf({ id, network_id, fixed_ips }: neutron.Port): RouterInterface[] {
  return fixed_ips.map(({ subnet_id, ip_address }) => ({
    portId: id as PortId,
    networkId: network_id as NetworkId,
    subnetId: subnet_id as SubnetId,
    address: ip_address,
  }))
}

/** `published`: the description of those that published ports share. */
export function floatingIpOf(
  said: neutron.FloatingIp,
  forwardings: readonly neutron.PortForwarding[],
  published: string,
): FloatingIp {
  return {
    id: said.id as FloatingIpId,
    projectId: (said.project_id ?? '') as ProjectId,
    networkId: said.floating_network_id as NetworkId,
    address: said.floating_ip_address,
    portId: (said.port_id ?? null) as PortId | null,
    fixedAddress: said.fixed_ip_address ?? null,
    routerId: (said.router_id ?? null) as RouterId | null,
    forwardings: forwardings.flatMap(forwardingOf),
    ...(said.description === published && { published: true }),
    createdAt: momentOf(said.created_at),
  }
}

/** None for a range of ports, and for protocols that nothing here knows of. */
export function forwardingOf(said: neutron.PortForwarding): PortForwarding[] {
  const { protocol, external_port: externalPort, internal_port: internalPort } = said
  if ((protocol !== 'tcp' && protocol !== 'udp') || externalPort == null || internalPort == null) return []
  return [
    {
      id: said.id as PortForwardingId,
      protocol,
      externalPort,
      portId: said.internal_port_id as PortId,
      address: said.internal_ip_address,
      internalPort,
    },
  ]
}

/** Whose it is, where an administrator makes it: she could make it for anybody. */
export function ownedBy({ isAdmin, projectId }: Caller): { readonly project_id?: string } {
  return isAdmin ? { project_id: projectId } : {}
}

function momentOf(time: string | undefined): number {
  const moment = Date.parse(time ?? '')
  return Number.isNaN(moment) ? 0 : moment
}
