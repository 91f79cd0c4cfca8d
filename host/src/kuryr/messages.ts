import Type, { type Static } from 'typebox'

/** Bodies as Docker sends them; what is not used here is left out. */

const nothing = Type.Null()
const words = Type.Optional(Type.Union([nothing, Type.Record(Type.String(), Type.String())]))
const anything = Type.Optional(Type.Union([nothing, Type.Record(Type.String(), Type.Unknown())]))

export const RequestPool = Type.Object({
  /** Empty: whatever there is. */
  Pool: Type.String(),
  /** `--ip-range` */
  SubPool: Type.Optional(Type.String()),
  Options: words,
  V6: Type.Optional(Type.Boolean()),
})
export type RequestPool = Static<typeof RequestPool>

export const ReleasePool = Type.Object({ PoolID: Type.String() })

export const RequestAddress = Type.Object({
  PoolID: Type.String(),
  Address: Type.Optional(Type.String()),
  Options: words,
})
export type RequestAddress = Static<typeof RequestAddress>
export const addressOptions = {
  type: 'RequestAddressType',
  gateway: 'com.docker.network.gateway',
  mac: 'com.docker.network.endpoint.macaddress',
} as const

export const ReleaseAddress = Type.Object({ PoolID: Type.String(), Address: Type.String() })
export type ReleaseAddress = Static<typeof ReleaseAddress>

const AddressData = Type.Object({
  Pool: Type.String(),
  Gateway: Type.Optional(Type.String()),
  AuxAddresses: Type.Optional(Type.Union([nothing, Type.Record(Type.String(), Type.String())])),
})
export type AddressData = Static<typeof AddressData>
const AddressList = Type.Optional(Type.Union([nothing, Type.Array(AddressData)]))

export const CreateNetwork = Type.Object({
  NetworkID: Type.String({ minLength: 12, maxLength: 64, pattern: '^[0-9a-z]+$' }),
  Options: anything,
  IPv4Data: AddressList,
  IPv6Data: AddressList,
})
export type CreateNetwork = Static<typeof CreateNetwork>
export const networkOptions = {
  /** What `-o` says. */
  generic: 'com.docker.network.generic',
  internal: 'com.docker.network.internal',
} as const

export const OfNetwork = Type.Object({ NetworkID: Type.String() })
export const OfEndpoint = Type.Object({ NetworkID: Type.String(), EndpointID: Type.String(), Options: anything })
export type OfEndpoint = Static<typeof OfEndpoint>

export const CreateEndpoint = Type.Object({
  ...OfEndpoint.properties,
  Interface: Type.Optional(
    Type.Union([
      nothing,
      Type.Object({
        Address: Type.Optional(Type.String()),
        AddressIPv6: Type.Optional(Type.String()),
        MacAddress: Type.Optional(Type.String()),
      }),
    ]),
  ),
})
export type CreateEndpoint = Static<typeof CreateEndpoint>

export const endpointOptions = {
  exposed: 'com.docker.network.endpoint.exposedports',
  published: 'com.docker.network.portmap',
} as const

/** Numbers of IANA: 1 icmp, 6 tcp, 17 udp, 132 sctp. */
export const ExposedPorts = Type.Array(Type.Object({ Proto: Type.Integer(), Port: Type.Integer() }))
export type ExposedPort = Static<typeof ExposedPorts>[number]

export const PublishedPorts = Type.Array(
  Type.Object({
    Proto: Type.Integer(),
    Port: Type.Integer(),
    HostIP: Type.Optional(Type.String()),
    /** 0: any */
    HostPort: Type.Integer(),
  }),
)
export type PublishedPort = Static<typeof PublishedPorts>[number]
