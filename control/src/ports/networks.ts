import type {
  AddressRange,
  Caller,
  Container,
  ContainerId,
  FabricPlan,
  FloatingIp,
  HostId,
  IpVersion,
  Network,
  NetworkId,
  Nic,
  Port,
  PortForwarding,
  Publish,
  Router,
  SecurityGroup,
  SecurityGroupRule,
  Subnet,
  SubnetId,
} from '@gantry/model'
import type { Tables } from './store.ts'

/**
 * Networks as a tenant sees them, and as the life of a container needs them. Implemented by the embedded provider, and by
 * one on Neutron. The first argument is who asks; what another project owns is not found. A `ref` is an id or, where it is
 * the only one of that name in the caller's sight, a name; two of a name are `network.ambiguous`.
 */
export interface NetworkProvider extends NetworkVerbs, ContainerPorts {
  /** What hosts must build; null when somebody else (a Neutron agent) builds it. */
  readonly fabric: FabricSource | null
  /** What must be asked of another service before a transaction; null: everything happens within. */
  readonly remote: RemotePorts | null
}

/**
 * Ports that another service makes and changes, with the caller's own rights. It is asked before the transaction which writes
 * the container, and answers the nics as they are to be written. What it made for a container that is then never written is found
 * by the provider's own sweep; `drop` spares the wait. Every call may be repeated.
 */
export interface RemotePorts {
  /** As `ContainerPorts.reserve`; nobody is told yet on which host. */
  make(caller: Caller, request: PortsRequest): Promise<readonly Nic[]>
  /** As `attach`; groups are those of the other nics. */
  makeOne(caller: Caller, containerId: ContainerId, nics: readonly Nic[], net: NetRequest): Promise<Nic>
  /** Takes back what `make` or `makeOne` did. Rejects with nothing. */
  drop(containerId: ContainerId, nics: readonly Nic[]): Promise<void>
  /**
   * The container is gone from its host and about to be forgotten: gives its ports back, as far as that can be done within a few
   * seconds; `release` sees to the rest. Rejects with nothing.
   */
  leave(containerId: ContainerId, nics: readonly Nic[]): Promise<void>
  regroup(caller: Caller, nics: readonly Nic[], change: { add: string } | { remove: string }): Promise<readonly Nic[]>
  expose(
    caller: Caller,
    containerId: ContainerId,
    nics: readonly Nic[],
    ports: readonly string[],
  ): Promise<readonly Nic[]>
  publish(caller: Caller, request: PublishRequest): Promise<void>
  /** Is told of containers whose nics the provider has written anew: bound to their host, or not to be bound. */
  onBound(listener: (container: Container) => void): void
}

export interface NetworkVerbs {
  readonly networks: {
    create(caller: Caller, input: NewNetwork): Promise<Network>
    /** The project's, shared ones and external ones. */
    list(caller: Caller, options?: ListScope): Promise<Network[]>
    get(caller: Caller, ref: string): Promise<Network>
    rename(caller: Caller, ref: string, name: string): Promise<Network>
    /**
     * The project's usual network, which Docker clients know as `bridge`: settled at the first call, and made then if there
     * is none that containers could reach the outside by.
     */
    ensureUsual(caller: Caller): Promise<Network>
    /** A network with its subnets and, unless it is internal, an interface of the project's router on each; all or nothing. */
    createWhole(caller: Caller, input: NewWholeNetwork): Promise<Network>
    /** The network with all that `createWhole` made. `network.in-use` while a container, also a stopped one, is on it. */
    deleteWhole(caller: Caller, ref: string): Promise<void>
    /** `network.in-use` while ports that a user or a container holds are on it. */
    delete(caller: Caller, ref: string): Promise<void>
  }
  readonly subnets: {
    create(caller: Caller, input: NewSubnet): Promise<Subnet>
    list(caller: Caller, options?: ListScope & { readonly network?: string }): Promise<Subnet[]>
    get(caller: Caller, ref: string): Promise<Subnet>
    delete(caller: Caller, ref: string): Promise<void>
  }
  readonly ports: {
    create(caller: Caller, input: NewPort): Promise<Port>
    list(caller: Caller, options?: ListScope & { readonly network?: string; readonly device?: string }): Promise<Port[]>
    get(caller: Caller, ref: string): Promise<Port>
    update(caller: Caller, ref: string, change: PortChange): Promise<Port>
    delete(caller: Caller, ref: string): Promise<void>
  }
  readonly groups: {
    /** With Neutron's two rules of a new group: everything may go out, over IPv4 and IPv6. */
    create(caller: Caller, input: { readonly name: string; readonly description: string }): Promise<SecurityGroup>
    list(caller: Caller, options?: ListScope): Promise<SecurityGroup[]>
    get(caller: Caller, ref: string): Promise<SecurityGroup>
    delete(caller: Caller, ref: string): Promise<void>
    addRule(caller: Caller, group: string, rule: NewRule): Promise<SecurityGroupRule>
    removeRule(caller: Caller, ruleId: string): Promise<void>
  }
  readonly routers: {
    create(caller: Caller, input: { readonly name: string }): Promise<Router>
    list(caller: Caller, options?: ListScope): Promise<Router[]>
    get(caller: Caller, ref: string): Promise<Router>
    delete(caller: Caller, ref: string): Promise<void>
    setGateway(caller: Caller, ref: string, gateway: { network: string; snat: boolean } | null): Promise<Router>
    /** A subnet's gateway address becomes the router's, or a given port becomes its interface. */
    addInterface(caller: Caller, ref: string, to: { subnet: string } | { port: string }): Promise<Router>
    removeInterface(caller: Caller, ref: string, from: { subnet: string } | { port: string }): Promise<Router>
  }
  readonly floatingIps: {
    create(caller: Caller, input: NewFloatingIp): Promise<FloatingIp>
    list(caller: Caller, options?: ListScope): Promise<FloatingIp[]>
    /** By id or address. */
    get(caller: Caller, ref: string): Promise<FloatingIp>
    /** null: leads nowhere from now on. */
    associate(caller: Caller, ref: string, port: string | null, fixedAddress?: string): Promise<FloatingIp>
    delete(caller: Caller, ref: string): Promise<void>
    addForwarding(caller: Caller, ref: string, input: NewForwarding): Promise<PortForwarding>
    removeForwarding(caller: Caller, ref: string, forwardingId: string): Promise<void>
  }
  /** What leads from outside to these containers; those without are left out, and so are other projects' for who is no administrator. */
  publishedOf(
    caller: Caller,
    containers: readonly Pick<Container, 'id' | 'projectId' | 'nics'>[],
  ): Promise<ReadonlyMap<ContainerId, readonly PublishedPort[]>>
}

export interface ListScope {
  /** Of every project; administrators only. */
  readonly allProjects?: boolean
}

export interface NewNetwork {
  readonly name: string
  /** Administrators only. */
  readonly shared: boolean
  /** Administrators only. */
  readonly external: boolean
}

export interface AskedSubnet {
  readonly cidr: string
  /** undefined: the first address. */
  readonly gateway?: string
  /** A CIDR within, from which addresses are given out; undefined: all. */
  readonly range?: string
  /** Addresses that are not given out. */
  readonly reserved: readonly string[]
}

export interface NewWholeNetwork {
  /** `network.name-taken` when the project has another of that name. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** At most one of each version; without one of version 4, a free one is chosen. `network.overlap` with others of the project. */
  readonly subnets: readonly AskedSubnet[]
  /** One of version 6 is chosen where none is named. */
  readonly ipv6: boolean
  /** Without a router: nothing leaves it. */
  readonly internal: boolean
}

export interface NewSubnet {
  readonly network: string
  readonly name: string
  readonly cidr: string
  /** undefined: the first address; null: none. */
  readonly gateway?: string | null
  readonly pools?: readonly AddressRange[]
  readonly dnsServers?: readonly string[]
}

export interface NewPort {
  readonly network: string
  readonly name: string
  /** undefined: the project's group `default`. */
  readonly groups?: readonly string[]
  readonly fixedIps?: readonly AskedIp[]
  readonly mac?: string
  readonly filtered?: boolean
}

export interface AskedIp {
  /** undefined: whichever fits the address, or the first with room. */
  readonly subnet?: string
  /** undefined: any free one. */
  readonly address?: string
}

export interface PortChange {
  readonly name?: string
  readonly groups?: readonly string[]
  readonly filtered?: boolean
}

export type NewRule = Omit<SecurityGroupRule, 'id' | 'groupId' | 'version' | 'remoteGroupId'> & {
  /** undefined: that of the remote prefix, else 4. */
  readonly version?: IpVersion
  /** Id or name; at most one of it and `remotePrefix`. */
  readonly remoteGroup: string | null
}

export interface NewFloatingIp {
  /** undefined: the only, or the oldest, external one. */
  readonly network?: string
  readonly address?: string
  readonly port?: string
  readonly fixedAddress?: string
}

export interface NewForwarding {
  readonly protocol: 'tcp' | 'udp'
  readonly externalPort: number
  readonly port: string
  /** undefined: the first of the port. */
  readonly address?: string
  readonly internalPort: number
}

/** One entry of what a user asked a container to be plugged into. */
export type NetRequest =
  | { readonly network: string; readonly addresses: readonly string[]; readonly mac?: string }
  | { readonly port: string }

export interface PortsRequest {
  readonly containerId: ContainerId
  readonly nets: readonly NetRequest[]
  /** null: the project's group `default`. Not for given ports, which keep theirs. */
  readonly groups: readonly string[] | null
  /** `80/tcp`: opened to everybody, over IPv4 and IPv6, by a group of the container's own that goes with it. */
  readonly exposedPorts: readonly string[]
  /** No ports at all; `nets` does not count. */
  readonly unplugged?: boolean
}

export interface PublishRequest {
  readonly containerId: ContainerId
  /** For the person who reads that a port is taken. */
  readonly name: string
  readonly nics: readonly Nic[]
  readonly ports: readonly Publish[]
  /** Whether a container of the project gives up its published ports to who asks for them. */
  yields(container: ContainerId): Promise<boolean>
}

/** A port of a container as the outside reaches it. */
export interface PublishedPort {
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly publicPort: number
}

/**
 * Ports of containers. Each call is made inside the transaction that writes the container, with its `tables`. `made`: what
 * `remote` answered before, which is then only written down; given by whoever found `remote`, and by nobody else.
 */
export interface ContainerPorts {
  /**
   * Ports for a new container, in the order of `nets`: the first one is primary. Empty `nets`: the project's oldest network
   * of its own, else the oldest shared one, else one is made with a subnet and a router to the outside.
   * Faults: `network.not-found`, `port.not-found`, `port.in-use`, `address.in-use`, `group.not-found` …
   */
  reserve(tables: Tables, caller: Caller, request: PortsRequest, made?: readonly Nic[]): Promise<Nic[]>
  /** One more. `network.attached` when the container is on that network already. */
  attach(
    tables: Tables,
    caller: Caller,
    containerId: ContainerId,
    nics: readonly Nic[],
    net: NetRequest,
    made?: Nic,
  ): Promise<Nic>
  /** Gives back the ports of these nics: made ones are deleted, a user's own are freed. */
  detach(tables: Tables, containerId: ContainerId, nics: readonly Nic[]): Promise<void>
  /** The container's host is known: ports are bound to it. */
  place(tables: Tables, containerId: ContainerId, hostId: HostId): Promise<void>
  /**
   * Leads public ports to the container: by port forwardings of a floating IP that all published ports of the project share
   * and that is made when first needed, or of the one that was asked for. What leads there already stays. A container
   * without a way to the outside gets none. `port.allocated`: the public port leads to a container that does not yield.
   */
  publish(tables: Tables, caller: Caller, request: PublishRequest): Promise<void>
  /** Opens further ports of the container to everybody, as `exposedPorts` of `reserve` did; answers its nics. */
  expose(
    tables: Tables,
    caller: Caller,
    containerId: ContainerId,
    nics: readonly Nic[],
    ports: readonly string[],
    made?: readonly Nic[],
  ): Promise<Nic[]>
  /** Everything the container held is given back. May be called again. */
  release(tables: Tables, containerId: ContainerId): Promise<void>
  /** Adds or removes a group on all of the container's ports that are filtered. `group.present` / `group.absent` when it changes nothing. */
  regroup(
    tables: Tables,
    caller: Caller,
    nics: readonly Nic[],
    change: { add: string } | { remove: string },
    made?: readonly Nic[],
  ): Promise<Nic[]>
}

/** What hosts must build, read from the store at the moment of asking. */
export interface FabricSource {
  /** Everything for a host, in pieces of bounded size. */
  ofHost(hostId: HostId): Promise<FabricPlan[]>
  /** What these nics stand on: their networks, the groups they name (and those groups' remote groups), the routers beside them. */
  ofNics(nics: readonly Nic[]): Promise<FabricPlan>
  /** What changed, and which hosts must hear of it. Called after the transaction. */
  onChange(listener: (change: FabricChange) => void): void
  /** The plan for one host of what a change named: whole objects, or their ids in `gone`. */
  ofChange(hostId: HostId, change: FabricChange): Promise<FabricPlan>
  /** Hosts that a change concerns. */
  hostsOf(change: FabricChange): Promise<HostId[]>
}

export interface FabricChange {
  readonly networks: readonly NetworkId[]
  readonly groups: readonly string[]
  readonly routers: readonly string[]
}

/** `subnet` ids are used by callers that show addresses. */
export type { SubnetId }
