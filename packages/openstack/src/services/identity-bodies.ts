import Type, { type Static } from 'typebox'
import { maybe } from '../bodies.ts'

const named = { id: Type.String(), name: Type.String(), description: maybe(Type.String()) }
const enabled = Type.Optional(Type.Boolean())

export const Project = Type.Object({
  ...named,
  domain_id: maybe(Type.String()),
  parent_id: maybe(Type.String()),
  enabled: Type.Boolean(),
  is_domain: enabled,
  tags: Type.Optional(Type.Array(Type.String())),
})
export type Project = Static<typeof Project>
export const ProjectCreate = Type.Object({
  name: Type.String(),
  domain_id: Type.Optional(Type.String()),
  parent_id: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  enabled,
})
export type ProjectCreate = Static<typeof ProjectCreate>

export const Domain = Type.Object({ ...named, enabled: Type.Boolean() })
export type Domain = Static<typeof Domain>

export const User = Type.Object({
  ...named,
  domain_id: Type.String(),
  enabled: Type.Boolean(),
  default_project_id: maybe(Type.String()),
  password_expires_at: maybe(Type.String()),
})
export type User = Static<typeof User>
export const UserCreate = Type.Object({
  name: Type.String(),
  password: Type.String(),
  domain_id: Type.Optional(Type.String()),
  default_project_id: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  enabled,
})
export type UserCreate = Static<typeof UserCreate>

export const CloudService = Type.Object({
  id: Type.String(),
  type: Type.String(),
  name: Type.Optional(Type.String()),
  description: maybe(Type.String()),
  enabled: Type.Boolean(),
})
export type CloudService = Static<typeof CloudService>
export const CloudServiceCreate = Type.Object({
  type: Type.String(),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  enabled,
})
export type CloudServiceCreate = Static<typeof CloudServiceCreate>

export const Endpoint = Type.Object({
  id: Type.String(),
  service_id: Type.String(),
  interface: Type.String(),
  url: Type.String(),
  region_id: maybe(Type.String()),
  enabled: Type.Optional(Type.Boolean()),
})
export type Endpoint = Static<typeof Endpoint>
export const EndpointCreate = Type.Object({
  service_id: Type.String(),
  interface: Type.Union([Type.Literal('public'), Type.Literal('internal'), Type.Literal('admin')]),
  url: Type.String(),
  region_id: Type.Optional(Type.String()),
  enabled,
})
export type EndpointCreate = Static<typeof EndpointCreate>

export const Role = Type.Object({ ...named, domain_id: maybe(Type.String()) })
export type Role = Static<typeof Role>
export const RoleCreate = Type.Object({ name: Type.String(), description: Type.Optional(Type.String()) })
export type RoleCreate = Static<typeof RoleCreate>

export const Trust = Type.Object({
  id: Type.String(),
  trustor_user_id: Type.String(),
  trustee_user_id: Type.String(),
  project_id: maybe(Type.String()),
  impersonation: Type.Boolean(),
  expires_at: maybe(Type.String()),
  remaining_uses: maybe(Type.Number()),
  roles: Type.Optional(Type.Array(Type.Object({ id: Type.String(), name: Type.Optional(Type.String()) }))),
})
export type Trust = Static<typeof Trust>
export const TrustCreate = Type.Object({
  trustor_user_id: Type.String(),
  trustee_user_id: Type.String(),
  project_id: Type.String(),
  impersonation: Type.Boolean(),
  roles: Type.Array(Type.Union([Type.Object({ id: Type.String() }), Type.Object({ name: Type.String() })])),
  expires_at: Type.Optional(Type.String()),
  allow_redelegation: Type.Optional(Type.Boolean()),
})
export type TrustCreate = Static<typeof TrustCreate>

export const AppCredential = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: maybe(Type.String()),
  project_id: Type.String(),
  roles: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })),
  expires_at: maybe(Type.String()),
  unrestricted: maybe(Type.Boolean()),
  /** Only in the answer to its making. */
  secret: Type.Optional(Type.String()),
})
export type AppCredential = Static<typeof AppCredential>
export const AppCredentialCreate = Type.Object({
  name: Type.String(),
  secret: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  roles: Type.Optional(
    Type.Array(Type.Union([Type.Object({ id: Type.String() }), Type.Object({ name: Type.String() })])),
  ),
  expires_at: Type.Optional(Type.String()),
  unrestricted: Type.Optional(Type.Boolean()),
})
export type AppCredentialCreate = Static<typeof AppCredentialCreate>
