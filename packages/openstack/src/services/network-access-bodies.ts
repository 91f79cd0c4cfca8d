import Type, { type Static } from 'typebox'
import { maybe, strings } from '../bodies.ts'

const id = Type.String()
const text = Type.Optional(Type.String())
const flag = Type.Optional(Type.Boolean())
const owned = {
  id,
  description: maybe(Type.String()),
  project_id: text,
  tags: Type.Optional(strings),
  /** ISO 8601. */
  created_at: text,
}

const Direction = Type.Union([Type.Literal('ingress'), Type.Literal('egress')])
export const SecurityGroupRule = Type.Object({
  ...owned,
  security_group_id: id,
  direction: Direction,
  ethertype: Type.Optional(Type.String()),
  protocol: maybe(Type.String()),
  port_range_min: maybe(Type.Number()),
  port_range_max: maybe(Type.Number()),
  remote_ip_prefix: maybe(Type.String()),
  remote_group_id: maybe(Type.String()),
})
export type SecurityGroupRule = Static<typeof SecurityGroupRule>
export const SecurityGroupRuleCreate = Type.Object({
  security_group_id: id,
  direction: Direction,
  description: text,
  ethertype: Type.Optional(Type.Union([Type.Literal('IPv4'), Type.Literal('IPv6')])),
  protocol: maybe(Type.String()),
  port_range_min: maybe(Type.Number()),
  port_range_max: maybe(Type.Number()),
  remote_ip_prefix: maybe(Type.String()),
  remote_group_id: maybe(Type.String()),
})
export type SecurityGroupRuleCreate = Static<typeof SecurityGroupRuleCreate>

export const SecurityGroup = Type.Object({
  ...owned,
  name: Type.String(),
  stateful: flag,
  shared: flag,
  security_group_rules: Type.Optional(Type.Array(SecurityGroupRule)),
})
export type SecurityGroup = Static<typeof SecurityGroup>
export const SecurityGroupCreate = Type.Object({
  name: Type.String(),
  description: text,
  project_id: text,
  stateful: flag,
})
export type SecurityGroupCreate = Static<typeof SecurityGroupCreate>

const Gateway = Type.Object({
  network_id: id,
  enable_snat: flag,
  external_fixed_ips: Type.Optional(Type.Array(Type.Object({ subnet_id: text, ip_address: text }))),
})
export const Router = Type.Object({
  ...owned,
  name: Type.String(),
  status: text,
  admin_state_up: flag,
  external_gateway_info: maybe(Gateway),
})
export type Router = Static<typeof Router>
export const RouterCreate = Type.Object({
  name: text,
  description: text,
  project_id: text,
  admin_state_up: flag,
  external_gateway_info: maybe(Gateway),
})
export type RouterCreate = Static<typeof RouterCreate>

export const PortForwarding = Type.Object({
  id,
  protocol: Type.String(),
  internal_port_id: id,
  internal_ip_address: Type.String(),
  internal_port: maybe(Type.Number()),
  external_port: maybe(Type.Number()),
  internal_port_range: maybe(Type.String()),
  external_port_range: maybe(Type.String()),
  description: maybe(Type.String()),
})
export type PortForwarding = Static<typeof PortForwarding>

export const FloatingIp = Type.Object({
  ...owned,
  floating_network_id: id,
  floating_ip_address: Type.String(),
  fixed_ip_address: maybe(Type.String()),
  port_id: maybe(Type.String()),
  router_id: maybe(Type.String()),
  status: text,
  /** Left out by clouds without port forwarding, and by older ones; some leave out the ids. */
  port_forwardings: Type.Optional(Type.Array(Type.Partial(PortForwarding))),
})
export type FloatingIp = Static<typeof FloatingIp>
export const FloatingIpUpdate = Type.Object({
  /** Null takes it away from its port. */
  port_id: maybe(Type.String()),
  fixed_ip_address: maybe(Type.String()),
  description: text,
})
export type FloatingIpUpdate = Static<typeof FloatingIpUpdate>
export const FloatingIpCreate = Type.Object({
  ...FloatingIpUpdate.properties,
  floating_network_id: id,
  floating_ip_address: text,
  subnet_id: text,
  project_id: text,
})
export type FloatingIpCreate = Static<typeof FloatingIpCreate>

export const PortForwardingCreate = Type.Object({
  protocol: Type.String(),
  internal_port_id: id,
  internal_ip_address: Type.String(),
  internal_port: Type.Number(),
  external_port: Type.Number(),
  description: text,
})
export type PortForwardingCreate = Static<typeof PortForwardingCreate>

const SubPort = Type.Object({
  port_id: id,
  segmentation_type: Type.Optional(Type.String()),
  segmentation_id: Type.Optional(Type.Number()),
})
export const SubPorts = Type.Array(SubPort)
export type SubPort = Static<typeof SubPort>
export const Trunk = Type.Object({
  ...owned,
  name: text,
  port_id: id,
  status: text,
  admin_state_up: flag,
  sub_ports: Type.Optional(SubPorts),
})
export type Trunk = Static<typeof Trunk>
export const TrunkCreate = Type.Object({ port_id: id, name: text, sub_ports: Type.Optional(SubPorts) })
export type TrunkCreate = Static<typeof TrunkCreate>

export const Agent = Type.Object({
  id,
  agent_type: Type.String(),
  binary: Type.String(),
  host: Type.String(),
  alive: Type.Boolean(),
  admin_state_up: flag,
  /** As each sort of agent likes. */
  configurations: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type Agent = Static<typeof Agent>

/** By resource (`port`, `network`, `floatingip`); -1 is no limit. */
export const QuotaDetails = Type.Record(
  Type.String(),
  Type.Object({ limit: Type.Number(), used: Type.Number(), reserved: Type.Number() }),
)
export type QuotaDetails = Static<typeof QuotaDetails>
