import Type, { type TSchema } from 'typebox'

/** What several schemas are made of. */
export const exact = { additionalProperties: false }
export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
export const Time = Type.String({ format: 'date-time' })
/** No NUL: neither a process argument nor a path can hold one. */
export const noNul = '^[^\\u0000]*$'
export const ShortText = Type.String({ pattern: noNul, minLength: 1, maxLength: 255 })
/** The id or name of something else, in a body. */
export const Other = (description: string) =>
  Type.String({ pattern: noNul, minLength: 1, maxLength: 255, description: `${description}: its id or its name.` })
export const Path = Type.String({ pattern: '^/[^\\u0000]*$', maxLength: 4096, description: 'An absolute path.' })
export const Version = Type.Union([Type.Literal(4), Type.Literal(6)], { description: 'Of the Internet Protocol.' })
export const AddressText = Type.String({ pattern: '^[0-9a-fA-F:.]{2,45}$', description: 'An IPv4 or IPv6 address.' })
export const PortNumber = Type.Integer({ minimum: 1, maximum: 65_535 })
/** One a user gave; unlike a container's it may hold any character. */
export const FreeName = Type.String({ pattern: '^[^\\p{Cc}]*$', maxLength: 255 })

/** String to string, with a bound on both count and key; `Type.Record` would let a key with a line break through. */
export function textMap(keyPattern: string, description: string) {
  return Type.Unsafe<Record<string, string>>({
    type: 'object',
    description,
    maxProperties: 1024,
    propertyNames: { type: 'string', pattern: keyPattern, minLength: 1, maxLength: 1024 },
    additionalProperties: { type: 'string', pattern: noNul, maxLength: 65_536 },
  })
}

/** An object that holds a list of what another schema of the document describes. */
export const listOf = (key: string, schema: string) =>
  Type.Object({ [key]: Type.Unsafe({ type: 'array', items: { $ref: `${schema}#` } }) })
