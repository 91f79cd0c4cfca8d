import Type, { type Static } from 'typebox'
import { AddressText, exact, FreeName, listOf, Other, orNull, PortNumber, ShortText, Time, Version } from './fields.ts'

const Id = Type.String({ description: 'Its id.' })
const Owned = { id: Type.String({ format: 'uuid' }), projectId: Type.String(), name: Type.String() }
const Cidr = Type.String({ pattern: '^[0-9a-fA-F:.]{2,45}/[0-9]{1,3}$', description: '`10.0.0.0/24`' })
const Range = Type.Object({ start: AddressText, end: AddressText }, exact)
const Mac = Type.String({ pattern: '^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$' })
const Some = <T extends Type.TSchema>(schema: T) => Type.Array(schema, { maxItems: 256 })
const Direction = Type.Union([Type.Literal('ingress'), Type.Literal('egress')])
const Transport = Type.Union([Type.Literal('tcp'), Type.Literal('udp')])
const Groups = Some(Other('A security group'))

export const CreateNetwork = Type.Object(
  {
    name: FreeName,
    shared: Type.Optional(Type.Boolean({ description: 'For every project; administrators only.' })),
    external: Type.Optional(Type.Boolean({ description: 'Leads out of the cloud; administrators only.' })),
  },
  exact,
)
export const RenameNetwork = Type.Object({ name: FreeName }, exact)
export const CreateSubnet = Type.Object(
  {
    network: Other('The network it is on'),
    name: Type.Optional(FreeName),
    cidr: Cidr,
    gateway: Type.Optional(
      orNull(Type.String({ ...AddressText, description: 'The first address if left out; null: no way out.' })),
    ),
    pools: Type.Optional(Some(Range)),
    dnsServers: Type.Optional(Some(AddressText)),
  },
  exact,
)
export const CreatePort = Type.Object(
  {
    network: Other('The network it is on'),
    name: Type.Optional(FreeName),
    securityGroups: Type.Optional(Groups),
    fixedIps: Type.Optional(
      Some(Type.Object({ subnet: Type.Optional(Other('A subnet')), address: Type.Optional(AddressText) }, exact)),
    ),
    mac: Type.Optional(Mac),
    filtered: Type.Optional(
      Type.Boolean({ description: 'false: neither security groups nor the check of sender addresses apply.' }),
    ),
  },
  exact,
)
export const ChangePort = Type.Object(
  {
    name: Type.Optional(FreeName),
    securityGroups: Type.Optional(Groups),
    filtered: Type.Optional(Type.Boolean()),
  },
  { ...exact, minProperties: 1 },
)
export const CreateSecurityGroup = Type.Object({ name: FreeName, description: Type.Optional(FreeName) }, exact)
const portOrType = Type.Integer({ minimum: 0, maximum: 65_535, description: 'A port, or the type or code for ICMP.' })
export const AddRule = Type.Object(
  {
    direction: Direction,
    version: Type.Optional(Version),
    protocol: Type.Optional(
      orNull(
        Type.String({
          pattern: '^[a-z0-9]{1,16}$',
          description: '`tcp`, `udp`, `icmp`, `icmpv6`, `sctp` or a number; null: any.',
        }),
      ),
    ),
    portMin: Type.Optional(orNull(portOrType)),
    portMax: Type.Optional(orNull(portOrType)),
    remotePrefix: Type.Optional(orNull(Cidr)),
    remoteGroup: Type.Optional(orNull(Other('Whose members are meant, a security group'))),
  },
  exact,
)
export const CreateRouter = Type.Object({ name: FreeName }, exact)
export const SetGateway = Type.Object(
  {
    network: Other('An external network'),
    snat: Type.Optional(Type.Boolean({ description: 'Containers go out under its address; true if left out.' })),
  },
  exact,
)
export const AddInterface = Type.Object(
  { subnet: Type.Optional(Other('A subnet')), port: Type.Optional(Other('A port')) },
  exact,
)
export const CreateFloatingIp = Type.Object(
  {
    network: Type.Optional(Other('The external network it is from; the oldest if left out')),
    address: Type.Optional(AddressText),
    port: Type.Optional(Other('The port it leads to')),
    fixedAddress: Type.Optional(AddressText),
  },
  exact,
)
export const AssociateFloatingIp = Type.Object(
  { port: orNull(Other('The port it leads to; null: nowhere')), fixedAddress: Type.Optional(AddressText) },
  exact,
)
export const AddForwarding = Type.Object(
  {
    protocol: Type.Optional(Transport),
    externalPort: PortNumber,
    port: Other('The port it leads to'),
    address: Type.Optional(AddressText),
    internalPort: PortNumber,
  },
  exact,
)
export const AttachNetwork = Type.Object(
  {
    network: Type.Optional(Other('A network')),
    addresses: Type.Optional(Type.Array(AddressText, { maxItems: 16, description: 'Those it is to have there.' })),
    port: Type.Optional(Other('A port of your own, instead of a network')),
  },
  exact,
)
export const AddGroup = Type.Object({ securityGroup: Other('A security group') }, exact)

const Network = Type.Object({
  ...Owned,
  shared: Type.Boolean({ description: 'Every project may use it.' }),
  external: Type.Boolean({ description: 'It leads out of the cloud.' }),
  mtu: Type.Integer({ description: 'Bytes.' }),
  createdAt: Time,
})
export type NetworkView = Static<typeof Network>

const Subnet = Type.Object({
  ...Owned,
  networkId: Id,
  version: Version,
  cidr: Cidr,
  gateway: orNull(Type.String()),
  pools: Type.Array(Range),
  dnsServers: Type.Array(Type.String()),
  createdAt: Time,
})
export type SubnetView = Static<typeof Subnet>

const Port = Type.Object({
  ...Owned,
  networkId: Id,
  mac: Type.String(),
  fixedIps: Type.Array(Type.Object({ subnetId: Id, address: Type.String() })),
  securityGroups: Type.Array(Id),
  filtered: Type.Boolean(),
  deviceId: orNull(Type.String({ description: 'The container, capsule or router that uses it; null: free.' })),
  deviceOwner: Type.String(),
  hostId: orNull(Type.String({ description: 'Shown to administrators.' })),
  createdAt: Time,
})
export type PortView = Static<typeof Port>

const Rule = Type.Object({
  id: Type.String({ format: 'uuid' }),
  direction: Direction,
  version: Version,
  protocol: orNull(Type.String()),
  portMin: orNull(Type.Integer()),
  portMax: orNull(Type.Integer()),
  remoteGroupId: orNull(Type.String()),
  remotePrefix: orNull(Type.String()),
})
export type RuleView = Static<typeof Rule>

const SecurityGroup = Type.Object({
  ...Owned,
  description: Type.String(),
  rules: Type.Array(Rule),
  createdAt: Time,
})
export type SecurityGroupView = Static<typeof SecurityGroup>

const Router = Type.Object({
  ...Owned,
  gateway: orNull(
    Type.Object(
      { networkId: Id, portId: Id, address: Type.String(), snat: Type.Boolean() },
      { description: 'The way out.' },
    ),
  ),
  interfaces: Type.Array(Type.Object({ portId: Id, networkId: Id, subnetId: Id, address: Type.String() })),
  createdAt: Time,
})
export type RouterView = Static<typeof Router>

const Forwarding = Type.Object({
  id: Type.String({ format: 'uuid' }),
  protocol: Transport,
  externalPort: Type.Integer(),
  portId: Id,
  address: Type.String(),
  internalPort: Type.Integer(),
})
export type ForwardingView = Static<typeof Forwarding>

const FloatingIp = Type.Object({
  id: Type.String({ format: 'uuid' }),
  projectId: Type.String(),
  networkId: Id,
  address: Type.String(),
  portId: orNull(Type.String()),
  fixedAddress: orNull(Type.String()),
  routerId: orNull(Type.String()),
  forwardings: Type.Array(Forwarding),
  createdAt: Time,
})
export type FloatingIpView = Static<typeof FloatingIp>

export const networkDocuments = {
  Network,
  NetworkList: listOf('networks', 'Network'),
  Subnet,
  SubnetList: listOf('subnets', 'Subnet'),
  Port,
  PortList: listOf('ports', 'Port'),
  SecurityGroup,
  SecurityGroupList: listOf('securityGroups', 'SecurityGroup'),
  Rule,
  Router,
  RouterList: listOf('routers', 'Router'),
  FloatingIp,
  FloatingIpList: listOf('floatingIps', 'FloatingIp'),
  Forwarding,
} as const

/** A port of a container as the container shows it. */
export const ContainerAddress = Type.Object({
  network: Id,
  port: Id,
  address: Type.String(),
  version: Version,
  subnet: Id,
  mac: Type.String(),
})
export const GroupIds = Type.Array(ShortText)

/** A port of a container that is to be reached from outside. */
export const PublishPort = Type.Object(
  {
    containerPort: PortNumber,
    protocol: Type.Optional(Transport),
    publicPort: Type.Optional(
      orNull({ ...PortNumber, description: 'A free one from 32768 on, which it keeps, if left out.' }),
    ),
    address: Type.Optional(
      orNull({
        ...AddressText,
        description: 'A floating IP of the project; if left out, the public address that its published ports share.',
      }),
    ),
  },
  exact,
)
export type PublishPort = Static<typeof PublishPort>
export const AskedPort = Type.Object({
  containerPort: Type.Integer(),
  protocol: Transport,
  publicPort: orNull(Type.Integer()),
  address: orNull(Type.String()),
})
export const PublishedPort = Type.Object({
  address: Type.String(),
  publicPort: Type.Integer(),
  containerPort: Type.Integer(),
  protocol: Transport,
})
