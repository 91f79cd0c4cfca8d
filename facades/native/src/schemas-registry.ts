import Type, { type Static } from 'typebox'
import { exact, FreeName, listOf, orNull, ShortText, Time } from './fields.ts'

const Domain = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Where it is: `registry.example.com:5000`, without a scheme or path.',
})
const Password = Type.String({ minLength: 1, maxLength: 16_384, description: 'Kept encrypted and never shown.' })
const fields = {
  name: Type.Optional(orNull({ ...FreeName, minLength: 1, description: 'Left out or null: its domain.' })),
  username: Type.Optional(orNull(ShortText)),
  password: Type.Optional(orNull(Password)),
}

export const CreateRegistry = Type.Object({ domain: Domain, ...fields }, exact)
export const PatchRegistry = Type.Object({ domain: Type.Optional(Domain), ...fields }, { ...exact, minProperties: 1 })

const Registry = Type.Object({
  id: Type.String({ format: 'uuid' }),
  projectId: Type.String(),
  userId: Type.String(),
  name: Type.String(),
  domain: Type.String(),
  username: orNull(Type.String()),
  hasPassword: Type.Boolean(),
  createdAt: Time,
  updatedAt: Time,
})
export type RegistryView = Static<typeof Registry>

export const registryDocuments = { Registry, RegistryList: listOf('registries', 'Registry') } as const
