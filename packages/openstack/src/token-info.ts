import Type, { type Static } from 'typebox'
import { reader, within } from './reader.ts'

const Domain = Type.Object({ id: Type.String(), name: Type.Optional(Type.String()) })
const Owner = Type.Object({ id: Type.String(), name: Type.String(), domain: Domain })

export const CatalogEndpoint = Type.Object({
  id: Type.Optional(Type.String()),
  interface: Type.String(),
  url: Type.String(),
  region: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  region_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})

export const CatalogService = Type.Object({
  id: Type.Optional(Type.String()),
  type: Type.String(),
  name: Type.Optional(Type.String()),
  endpoints: Type.Array(CatalogEndpoint),
})
export type CatalogService = Static<typeof CatalogService>

/** What Keystone knows of a token; not the token itself. */
export const TokenInfo = Type.Object({
  user: Owner,
  methods: Type.Array(Type.String()),
  expires_at: Type.String(),
  issued_at: Type.String(),
  audit_ids: Type.Optional(Type.Array(Type.String())),
  project: Type.Optional(Owner),
  domain: Type.Optional(Domain),
  system: Type.Optional(Type.Object({ all: Type.Optional(Type.Boolean()) })),
  /** False where the operator named one project whose administrators are the cloud's, and this is another one. */
  is_admin_project: Type.Optional(Type.Boolean()),
  roles: Type.Optional(Type.Array(Type.Object({ id: Type.String(), name: Type.String() }))),
  catalog: Type.Optional(Type.Array(CatalogService)),
  application_credential: Type.Optional(
    Type.Object({ id: Type.String(), name: Type.Optional(Type.String()), restricted: Type.Optional(Type.Boolean()) }),
  ),
  'OS-TRUST:trust': Type.Optional(
    Type.Object({
      id: Type.String(),
      impersonation: Type.Boolean(),
      trustor_user: Type.Object({ id: Type.String() }),
      trustee_user: Type.Object({ id: Type.String() }),
    }),
  ),
})
export type TokenInfo = Static<typeof TokenInfo>

export const tokenInfo = within('token', reader(TokenInfo))
