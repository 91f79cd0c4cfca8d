import type {
  ContainerId,
  FloatingIp,
  FloatingIpId,
  HostId,
  Network,
  NetworkId,
  Port,
  PortForwarding,
  PortForwardingId,
  PortId,
  ProjectId,
  Router,
  RouterId,
  SecurityGroup,
  SecurityGroupId,
  SecurityGroupRule,
  SecurityGroupRuleId,
  Subnet,
  SubnetId,
} from '@gantry/model'

/** What the embedded network provider keeps. Lists are ordered by age. Rules belong to the provider; this only stores. */
export interface NetworkTables {
  readonly networks: {
    insert(network: Network): Promise<void>
    get(id: NetworkId): Promise<Network | undefined>
    /** Those of `project`, shared and external ones; null: all. */
    visible(project: ProjectId | null): Promise<Network[]>
    rename(id: NetworkId, name: string): Promise<void>
    makeUsual(id: NetworkId): Promise<void>
    remove(id: NetworkId): Promise<void>
    countOf(project: ProjectId): Promise<number>
  }
  readonly subnets: {
    insert(subnet: Subnet): Promise<void>
    get(id: SubnetId): Promise<Subnet | undefined>
    ofNetworks(ids: readonly NetworkId[]): Promise<Subnet[]>
    remove(id: SubnetId): Promise<void>
    countOf(project: ProjectId): Promise<number>
  }
  readonly ports: {
    /** Also claims its addresses: throws `address.in-use` when one is taken on its subnet. */
    insert(port: Port): Promise<void>
    get(id: PortId): Promise<Port | undefined>
    getMany(ids: readonly PortId[]): Promise<Port[]>
    /** null: of every project. */
    list(project: ProjectId | null): Promise<Port[]>
    ofNetwork(id: NetworkId): Promise<Port[]>
    ofDevice(deviceId: string): Promise<Port[]>
    ofGroup(id: SecurityGroupId): Promise<Port[]>
    update(id: PortId, change: Partial<Omit<Port, 'id' | 'projectId' | 'networkId' | 'createdAt'>>): Promise<void>
    remove(id: PortId): Promise<void>
    macTaken(mac: string): Promise<boolean>
    /** Addresses of a subnet in use, in no order. Within a transaction nobody else may ask this of the subnet until it ends. */
    addressesOf(subnetId: SubnetId): Promise<string[]>
    addressTaken(subnetId: SubnetId, address: string): Promise<boolean>
    countOf(project: ProjectId): Promise<number>
    /** Sets the host of every port of a device. */
    place(deviceId: ContainerId, hostId: HostId): Promise<void>
    /** Networks with a port of a container on the host. */
    networksOnHost(hostId: HostId): Promise<NetworkId[]>
    groupsOnHost(hostId: HostId): Promise<SecurityGroupId[]>
    hostsOfNetworks(ids: readonly NetworkId[]): Promise<HostId[]>
    hostsOfGroups(ids: readonly SecurityGroupId[]): Promise<HostId[]>
  }
  readonly groups: {
    insert(group: SecurityGroup): Promise<void>
    get(id: SecurityGroupId): Promise<SecurityGroup | undefined>
    getMany(ids: readonly SecurityGroupId[]): Promise<SecurityGroup[]>
    /** null: all. */
    list(project: ProjectId | null): Promise<SecurityGroup[]>
    remove(id: SecurityGroupId): Promise<void>
    countOf(project: ProjectId): Promise<number>
    insertRule(rule: SecurityGroupRule): Promise<void>
    getRule(id: SecurityGroupRuleId): Promise<SecurityGroupRule | undefined>
    removeRule(rule: Pick<SecurityGroupRule, 'id' | 'groupId'>): Promise<void>
    /** Groups with a rule that names `id` as remote group. */
    naming(id: SecurityGroupId): Promise<SecurityGroupId[]>
  }
  readonly routers: {
    insert(router: Router): Promise<void>
    get(id: RouterId): Promise<Router | undefined>
    list(project: ProjectId | null): Promise<Router[]>
    update(id: RouterId, change: Partial<Pick<Router, 'name' | 'gateway' | 'interfaces'>>): Promise<void>
    remove(id: RouterId): Promise<void>
    countOf(project: ProjectId): Promise<number>
    /** With an interface on one of the networks. */
    onNetworks(ids: readonly NetworkId[]): Promise<Router[]>
  }
  readonly floatingIps: {
    /** Throws `address.in-use` when the address is taken on its network. */
    insert(ip: FloatingIp): Promise<void>
    get(id: FloatingIpId): Promise<FloatingIp | undefined>
    list(project: ProjectId | null): Promise<FloatingIp[]>
    /** Those that lead to the port, as a whole or by a forwarding. */
    ofPort(portId: PortId): Promise<FloatingIp[]>
    ofRouter(routerId: RouterId): Promise<FloatingIp[]>
    update(id: FloatingIpId, change: Partial<Pick<FloatingIp, 'portId' | 'fixedAddress' | 'routerId'>>): Promise<void>
    remove(id: FloatingIpId): Promise<void>
    countOf(project: ProjectId): Promise<number>
    addForwarding(id: FloatingIpId, forwarding: PortForwarding): Promise<void>
    removeForwarding(id: FloatingIpId, forwarding: PortForwardingId): Promise<void>
  }
}
