import Type, { type TSchema } from 'typebox'

/** What many services leave out or answer with null. */
export const maybe = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]))

export const strings = Type.Array(Type.String())
export const texts = Type.Record(Type.String(), Type.String())
