import Type, { type Static } from 'typebox'
import type { FloatingIpId, NetworkId, PortId, ProjectId, RouterId, SecurityGroupId, SubnetId } from './ids.ts'

/** What hosts are told of networks: every plan is the whole of its object, so taking it twice changes nothing. */

const networkId = Type.Unsafe<NetworkId>(Type.String())
const portId = Type.Unsafe<PortId>(Type.String())
const groupId = Type.Unsafe<SecurityGroupId>(Type.String())
const version = Type.Union([Type.Literal(4), Type.Literal(6)])

export const NicAddress = Type.Object({
  address: Type.String(),
  /** Length of the subnet's prefix in bits. */
  prefix: Type.Integer({ minimum: 0, maximum: 128 }),
  version,
  subnetId: Type.Unsafe<SubnetId>(Type.String()),
  /** The subnet's gateway; null: it has none. */
  gateway: Type.Union([Type.String(), Type.Null()]),
})
export type NicAddress = Static<typeof NicAddress>

const ovs = Type.Object({
  kind: Type.Literal('ovs'),
  /** `br-int` */
  bridge: Type.String(),
  /** A Linux bridge stands between, for the security groups. */
  hybrid: Type.Boolean(),
})
/** How the host end of a port is plugged; Neutron's `binding:vif_type`, and the two forms for hosts that are VMs. */
export const Vif = Type.Union([
  Type.Object({
    kind: Type.Literal('bridge'),
    bridge: Type.String(),
    /** Neutron's agent filters what passes; nothing may until it does. */
    filters: Type.Boolean(),
  }),
  ovs,
  /** An interface that Neutron's agent takes up by its name. */
  Type.Object({ kind: Type.Literal('tap') }),
  /** A sub-port of the VM's trunk: `parent` is the VM's own interface. */
  Type.Object({ kind: Type.Literal('vlan'), parent: Type.String(), vlan: Type.Integer({ minimum: 1, maximum: 4094 }) }),
  /** Behind the VM's own port, which lets its addresses pass. */
  Type.Object({ kind: Type.Literal('macvlan'), parent: Type.String() }),
])
export type Vif = Static<typeof Vif>

/** Of a port that another network service (Neutron) made: what its network plan says of our own ones, and how it is plugged. */
export const NicBinding = Type.Object({
  mtu: Type.Integer(),
  dnsServers: Type.Array(Type.String()),
  routes: Type.Array(Type.Object({ destination: Type.String(), nextHop: Type.String() })),
  /** null: not known yet; whoever plugs waits for a newer assignment. */
  vif: Type.Union([Vif, Type.Null()]),
  /** Why it cannot be plugged, as a sentence. */
  problem: Type.Optional(Type.String()),
})
export type NicBinding = Static<typeof NicBinding>

/** One interface of a container: a port as its host must plug it. The first of a container carries its default route. */
export const Nic = Type.Object({
  portId,
  networkId,
  mac: Type.String(),
  addresses: Type.Array(NicAddress),
  groups: Type.Array(groupId),
  /** false: neither security groups nor the check of sender addresses apply. */
  filtered: Type.Boolean(),
  /** The port stays when the container goes. */
  preserve: Type.Boolean(),
  /** Left out: the port is on a network that this host builds by our plans. */
  binding: Type.Optional(NicBinding),
})
export type Nic = Static<typeof Nic>

export const NetworkPlan = Type.Object({
  id: networkId,
  projectId: Type.Unsafe<ProjectId>(Type.String()),
  external: Type.Boolean(),
  mtu: Type.Integer(),
  subnets: Type.Array(
    Type.Object({
      cidr: Type.String(),
      version,
      gateway: Type.Union([Type.String(), Type.Null()]),
      dnsServers: Type.Array(Type.String()),
    }),
  ),
})
export type NetworkPlan = Static<typeof NetworkPlan>

export const RulePlan = Type.Object({
  direction: Type.Union([Type.Literal('ingress'), Type.Literal('egress')]),
  version,
  protocol: Type.Union([Type.String(), Type.Null()]),
  portMin: Type.Union([Type.Integer(), Type.Null()]),
  portMax: Type.Union([Type.Integer(), Type.Null()]),
  remoteGroupId: Type.Union([groupId, Type.Null()]),
  remotePrefix: Type.Union([Type.String(), Type.Null()]),
})
export type RulePlan = Static<typeof RulePlan>

/** Its members on this host are the nics that name it. */
export const GroupPlan = Type.Object({ id: groupId, rules: Type.Array(RulePlan) })
export type GroupPlan = Static<typeof GroupPlan>

/** A router as each host that has one of its networks builds it. */
export const RouterPlan = Type.Object({
  id: Type.Unsafe<RouterId>(Type.String()),
  interfaces: Type.Array(
    Type.Object({
      portId,
      networkId,
      mac: Type.String(),
      address: Type.String(),
      prefix: Type.Integer(),
      version,
    }),
  ),
  /** The way out; null: none. `gateway` is the host's own address on the external network. */
  external: Type.Union([
    Type.Null(),
    Type.Object({
      networkId,
      portId,
      mac: Type.String(),
      address: Type.String(),
      prefix: Type.Integer(),
      gateway: Type.String(),
      snat: Type.Boolean(),
    }),
  ]),
  floatingIps: Type.Array(
    Type.Object({
      id: Type.Unsafe<FloatingIpId>(Type.String()),
      address: Type.String(),
      /** The container's address that everything goes to; null: only what `forwardings` say. */
      fixedAddress: Type.Union([Type.String(), Type.Null()]),
      forwardings: Type.Array(
        Type.Object({
          protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
          externalPort: Type.Integer(),
          address: Type.String(),
          internalPort: Type.Integer(),
        }),
      ),
    }),
  ),
})
export type RouterPlan = Static<typeof RouterPlan>

/** Objects to build or change, and ids to take down. */
export const FabricPlan = Type.Object({
  networks: Type.Array(NetworkPlan),
  groups: Type.Array(GroupPlan),
  routers: Type.Array(RouterPlan),
  /** Ids of networks, groups and routers that are no more. */
  gone: Type.Array(Type.String()),
})
export type FabricPlan = Static<typeof FabricPlan>

export const emptyFabric: FabricPlan = { networks: [], groups: [], routers: [], gone: [] }
