import Type, { type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

const Pool = Type.Object({
  Subnet: maybe(Type.String()),
  IPRange: maybe(Type.String()),
  Gateway: maybe(Type.String()),
  AuxiliaryAddresses: maybe(Type.Record(Type.String(), Type.String())),
})

/** The parts of `POST /networks/create` that are acted upon. */
export const NetworkBody = Type.Object({
  Name: Type.String(),
  Internal: maybe(Type.Boolean()),
  EnableIPv6: maybe(Type.Boolean()),
  IPAM: maybe(Type.Object({ Config: maybe(Type.Array(Pool)) })),
  Labels: maybe(Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]))),
})
export type NetworkBody = Static<typeof NetworkBody>
export const checkNetwork = Compile(NetworkBody)

/** `POST /networks/{id}/connect` and `/disconnect`. */
export const PlugBody = Type.Object({
  Container: Type.String({ minLength: 1 }),
  EndpointConfig: Type.Optional(Type.Unknown()),
  Force: maybe(Type.Boolean()),
})
export const checkPlug = Compile(PlugBody)

/** `POST /volumes/create`. */
export const VolumeBody = Type.Object({
  Name: maybe(Type.String()),
  Driver: maybe(Type.String()),
  DriverOpts: maybe(Type.Record(Type.String(), Type.String())),
  Labels: maybe(Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]))),
})
export const checkVolume = Compile(VolumeBody)
