import Type, { type Static } from 'typebox'
import { maybe, strings } from '../bodies.ts'

const id = Type.String()
const text = Type.Optional(Type.String())
const flag = Type.Optional(Type.Boolean())
const owned = {
  id,
  name: text,
  description: maybe(Type.String()),
  project_id: text,
  tags: Type.Optional(strings),
  revision_number: Type.Optional(Type.Number()),
  /** ISO 8601. */
  created_at: text,
}

export const Network = Type.Object({
  ...owned,
  status: text,
  admin_state_up: flag,
  shared: flag,
  mtu: maybe(Type.Number()),
  subnets: Type.Optional(strings),
  port_security_enabled: flag,
  'router:external': flag,
  is_default: maybe(Type.Boolean()),
  availability_zones: Type.Optional(strings),
  'provider:network_type': maybe(Type.String()),
  'provider:physical_network': maybe(Type.String()),
  'provider:segmentation_id': maybe(Type.Number()),
})
export type Network = Static<typeof Network>
export const NetworkCreate = Type.Object({
  name: text,
  description: text,
  project_id: text,
  admin_state_up: flag,
  shared: flag,
  mtu: Type.Optional(Type.Number()),
  port_security_enabled: flag,
  'router:external': flag,
})
export type NetworkCreate = Static<typeof NetworkCreate>

const Range = Type.Object({ start: Type.String(), end: Type.String() })
const HostRoute = Type.Object({ destination: Type.String(), nexthop: Type.String() })
export const Subnet = Type.Object({
  ...owned,
  network_id: id,
  ip_version: Type.Union([Type.Literal(4), Type.Literal(6)]),
  cidr: Type.String(),
  gateway_ip: maybe(Type.String()),
  enable_dhcp: flag,
  allocation_pools: Type.Optional(Type.Array(Range)),
  dns_nameservers: Type.Optional(strings),
  host_routes: Type.Optional(Type.Array(HostRoute)),
  subnetpool_id: maybe(Type.String()),
  ipv6_address_mode: maybe(Type.String()),
  ipv6_ra_mode: maybe(Type.String()),
})
export type Subnet = Static<typeof Subnet>
export const SubnetCreate = Type.Object({
  network_id: id,
  ip_version: Type.Union([Type.Literal(4), Type.Literal(6)]),
  name: text,
  description: text,
  project_id: text,
  cidr: text,
  prefixlen: Type.Optional(Type.Number()),
  gateway_ip: maybe(Type.String()),
  enable_dhcp: flag,
  allocation_pools: Type.Optional(Type.Array(Range)),
  dns_nameservers: Type.Optional(strings),
  host_routes: Type.Optional(Type.Array(HostRoute)),
  subnetpool_id: text,
  ipv6_address_mode: text,
  ipv6_ra_mode: text,
})
export type SubnetCreate = Static<typeof SubnetCreate>

export const SubnetPool = Type.Object({
  ...owned,
  prefixes: strings,
  ip_version: Type.Optional(Type.Number()),
  shared: flag,
  is_default: flag,
  default_prefixlen: Type.Optional(Type.Union([Type.Number(), Type.String()])),
})
export type SubnetPool = Static<typeof SubnetPool>
export const SubnetPoolCreate = Type.Object({
  name: Type.String(),
  prefixes: strings,
  description: text,
  project_id: text,
  shared: flag,
  default_prefixlen: Type.Optional(Type.Number()),
})
export type SubnetPoolCreate = Static<typeof SubnetPoolCreate>

const FixedIp = Type.Object({ subnet_id: id, ip_address: Type.String() })
const AddressPair = Type.Object({ ip_address: Type.String(), mac_address: text })
const Details = Type.Record(Type.String(), Type.Unknown())
export const Port = Type.Object({
  ...owned,
  network_id: id,
  mac_address: Type.String(),
  /** ACTIVE, DOWN, BUILD, ERROR */
  status: Type.String(),
  admin_state_up: flag,
  device_id: text,
  device_owner: text,
  fixed_ips: Type.Array(FixedIp),
  security_groups: Type.Optional(strings),
  allowed_address_pairs: Type.Optional(Type.Array(AddressPair)),
  port_security_enabled: flag,
  dns_name: maybe(Type.String()),
  /** What is bound is told to services and admins only. */
  'binding:host_id': maybe(Type.String()),
  'binding:vif_type': maybe(Type.String()),
  'binding:vif_details': Type.Optional(Details),
  'binding:vnic_type': maybe(Type.String()),
  'binding:profile': Type.Optional(Type.Union([Details, Type.Null()])),
})
export type Port = Static<typeof Port>

const FixedIpWish = Type.Object({ subnet_id: text, ip_address: text })
export const PortUpdate = Type.Object({
  name: text,
  description: text,
  admin_state_up: flag,
  device_id: text,
  device_owner: text,
  fixed_ips: Type.Optional(Type.Array(FixedIpWish)),
  mac_address: text,
  security_groups: Type.Optional(strings),
  allowed_address_pairs: Type.Optional(Type.Array(AddressPair)),
  port_security_enabled: flag,
  dns_name: text,
  'binding:host_id': Type.Optional(Type.Union([Type.String(), Type.Null()])),
  'binding:vnic_type': text,
  'binding:profile': Type.Optional(Details),
})
export type PortUpdate = Static<typeof PortUpdate>
export const PortCreate = Type.Object({ ...PortUpdate.properties, network_id: id, project_id: text })
export type PortCreate = Static<typeof PortCreate>
