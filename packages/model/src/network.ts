import type {
  FloatingIpId,
  HostId,
  NetworkId,
  PortForwardingId,
  PortId,
  ProjectId,
  RouterId,
  SecurityGroupId,
  SecurityGroupRuleId,
  SubnetId,
} from './ids.ts'

/** Neutron's nouns, with Neutron's meaning. Times are epoch milliseconds. */

export type IpVersion = 4 | 6

export interface Network {
  readonly id: NetworkId
  readonly projectId: ProjectId
  readonly name: string
  /** Every project may plug containers into it. */
  readonly shared: boolean
  /** Leads out of the cloud: floating IPs and routers' gateways are taken from it. */
  readonly external: boolean
  /** Bytes. */
  readonly mtu: number
  /** Settled as the network of the project's containers that name none, which Docker clients know as `bridge`. */
  readonly usual?: boolean
  /** Only of what a Docker client made. */
  readonly labels?: Readonly<Record<string, string>>
  readonly createdAt: number
}

export interface AddressRange {
  readonly start: string
  readonly end: string
}

export interface Subnet {
  readonly id: SubnetId
  readonly networkId: NetworkId
  readonly projectId: ProjectId
  readonly name: string
  readonly version: IpVersion
  /** `10.0.0.0/24`, in canonical form. */
  readonly cidr: string
  /** null: no way out. */
  readonly gateway: string | null
  /** From which addresses are given out; inside `cidr`, without the gateway. */
  readonly pools: readonly AddressRange[]
  readonly dnsServers: readonly string[]
  readonly createdAt: number
}

export interface FixedIp {
  readonly subnetId: SubnetId
  readonly address: string
}

/** What holds a port here. Spelling as Neutron's `device_owner`. */
export type PortOwner =
  | ''
  | 'compute:kuryr'
  | 'network:router_interface'
  | 'network:router_gateway'
  | 'network:floatingip'

export interface Port {
  readonly id: PortId
  readonly projectId: ProjectId
  readonly networkId: NetworkId
  readonly name: string
  /** Lower case, with colons. */
  readonly mac: string
  readonly fixedIps: readonly FixedIp[]
  readonly groups: readonly SecurityGroupId[]
  /** false: nothing is filtered, not even a false sender address. */
  readonly filtered: boolean
  /** The container, capsule sandbox or router that uses it; null: free. */
  readonly deviceId: string | null
  /** A `PortOwner`; at a Neutron also what else holds ports there: `compute:nova`, `network:dhcp`. */
  readonly deviceOwner: string
  readonly hostId: HostId | null
  /** Made by a user and not for a container: it stays when its container goes. */
  readonly preserve: boolean
  readonly createdAt: number
}

export interface SecurityGroup {
  readonly id: SecurityGroupId
  readonly projectId: ProjectId
  readonly name: string
  readonly description: string
  readonly rules: readonly SecurityGroupRule[]
  readonly createdAt: number
}

/** What a rule lets through; what no rule of a port's groups lets through is dropped. Answers always pass. */
export interface SecurityGroupRule {
  readonly id: SecurityGroupRuleId
  readonly groupId: SecurityGroupId
  readonly direction: 'ingress' | 'egress'
  readonly version: IpVersion
  /** `tcp`, `udp`, `icmp`, `icmpv6`, `sctp` or a protocol number as text; null: any. */
  readonly protocol: string | null
  /** Ports, or type and code for ICMP; null: any. */
  readonly portMin: number | null
  readonly portMax: number | null
  /** At most one of the two; neither: everybody. */
  readonly remoteGroupId: SecurityGroupId | null
  readonly remotePrefix: string | null
}

export interface RouterInterface {
  readonly portId: PortId
  readonly networkId: NetworkId
  readonly subnetId: SubnetId
  readonly address: string
}

export interface Router {
  readonly id: RouterId
  readonly projectId: ProjectId
  readonly name: string
  readonly gateway: RouterGateway | null
  readonly interfaces: readonly RouterInterface[]
  readonly createdAt: number
}

export interface RouterGateway {
  readonly networkId: NetworkId
  /** Empty where a Neutron keeps it to itself. */
  readonly portId: PortId
  readonly address: string
  /** Containers without a floating IP reach the outside under the gateway's address. */
  readonly snat: boolean
}

export interface FloatingIp {
  readonly id: FloatingIpId
  readonly projectId: ProjectId
  readonly networkId: NetworkId
  readonly address: string
  /** The port it leads to; null: none. */
  readonly portId: PortId | null
  readonly fixedAddress: string | null
  readonly routerId: RouterId | null
  readonly forwardings: readonly PortForwarding[]
  /** Made for the published ports of the project's containers, which share it. */
  readonly published?: boolean
  readonly createdAt: number
}

/** One port of a floating IP that leads to a port of a container. Only on one that leads nowhere as a whole. */
export interface PortForwarding {
  readonly id: PortForwardingId
  readonly protocol: 'tcp' | 'udp'
  readonly externalPort: number
  readonly portId: PortId
  readonly address: string
  readonly internalPort: number
}
