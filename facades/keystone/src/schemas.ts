import Type, { type Static, type TSchema } from 'typebox'

// PostgreSQL cannot keep a NUL in text, so no text may hold one.
const Text = (maxLength: number, minLength = 0) => Type.String({ minLength, maxLength, pattern: '^[^\\u0000]*$' })
/** Not blank. One way to match only: it is tried on texts of any length, before anybody has logged in. */
const Name = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^\\s*[^\\u0000\\s][^\\u0000]*$' })
const Id = Text(255, 1)
const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Optional = <T extends TSchema>(schema: T) => Type.Optional(schema)
const Description = Optional(Nullable(Text(65_535)))
const Enabled = Optional(Type.Boolean())
const Password = Text(4_096)
/** Clients repeat what they were shown (ids, links, options); such extra members are let through and not looked at. */
const Loose = <T extends Record<string, TSchema>>(properties: T) => Type.Object(properties)
const Wrapped = <K extends string, T extends TSchema>(key: K, schema: T) =>
  Type.Object({ [key]: schema } as Record<K, T>)

const DomainName = { id: Optional(Id), name: Optional(Name(255)) }
const DomainRef = Loose(DomainName)
const ObjectRef = Loose({ ...DomainName, domain: Optional(DomainRef) })

export const AuthBody = Wrapped(
  'auth',
  Loose({
    identity: Loose({
      methods: Type.Array(Text(64), { maxItems: 8 }),
      password: Optional(Loose({ user: Loose({ ...DomainName, domain: Optional(DomainRef), password: Password }) })),
      token: Optional(Loose({ id: Text(12_288) })),
      application_credential: Optional(Loose({ ...DomainName, user: Optional(ObjectRef), secret: Password })),
    }),
    scope: Optional(
      Type.Union([
        Type.Literal('unscoped'),
        Loose({
          project: Optional(ObjectRef),
          domain: Optional(DomainRef),
          system: Optional(Loose({ all: Type.Boolean() })),
          unscoped: Optional(Type.Unknown()),
          'OS-TRUST:trust': Optional(Type.Unknown()),
        }),
      ]),
    ),
  }),
)
export type AuthBody = Static<typeof AuthBody>
export type AuthScope = AuthBody['auth']['scope']
export type ObjectRef = Static<typeof ObjectRef>
export type DomainRef = Static<typeof DomainRef>

const domain = { name: Name(64), description: Description, enabled: Enabled }
const project = {
  name: Name(64),
  description: Description,
  enabled: Enabled,
  domain_id: Optional(Nullable(Id)),
  parent_id: Optional(Nullable(Id)),
  is_domain: Optional(Type.Literal(false)),
  tags: Optional(Type.Array(Name(255), { maxItems: 80 })),
}
const user = {
  name: Name(255),
  description: Description,
  enabled: Enabled,
  domain_id: Optional(Nullable(Id)),
  default_project_id: Optional(Nullable(Id)),
  email: Optional(Nullable(Text(255))),
  password: Optional(Nullable(Password)),
}
const group = { name: Name(64), description: Description, domain_id: Optional(Nullable(Id)) }
const role = { name: Name(255), description: Description, domain_id: Optional(Type.Null()) }
const region = { id: Optional(Nullable(Name(255))), description: Description, parent_region_id: Optional(Nullable(Id)) }
const service = { type: Name(255), name: Optional(Nullable(Text(255))), description: Description, enabled: Enabled }
const endpoint = {
  service_id: Id,
  region_id: Optional(Nullable(Id)),
  /** The older name of `region_id`. */
  region: Optional(Nullable(Id)),
  interface: Type.Union([Type.Literal('public'), Type.Literal('internal'), Type.Literal('admin')]),
  url: Name(2_048),
  enabled: Enabled,
}

/** The two bodies of a collection: everything that is required to create one, and nothing to change one. */
function bodies<K extends string, P extends Record<string, TSchema>>(key: K, properties: P) {
  return {
    create: Wrapped(key, Loose(properties)),
    update: Wrapped(key, Type.Partial(Loose(properties))),
  }
}

export const DomainBodies = bodies('domain', domain)
export const ProjectBodies = bodies('project', project)
export const UserBodies = bodies('user', user)
export const GroupBodies = bodies('group', group)
export const RoleBodies = bodies('role', role)
export const RegionBodies = bodies('region', region)
export const ServiceBodies = bodies('service', service)
export const EndpointBodies = bodies('endpoint', endpoint)

type Inner<T extends TSchema> = Static<T>[keyof Static<T>]
export type DomainInput = Partial<Inner<typeof DomainBodies.create>>
export type ProjectInput = Partial<Inner<typeof ProjectBodies.create>>
export type UserInput = Partial<Inner<typeof UserBodies.create>>
export type GroupInput = Partial<Inner<typeof GroupBodies.create>>
export type RoleInput = Partial<Inner<typeof RoleBodies.create>>
export type RegionInput = Partial<Inner<typeof RegionBodies.create>>
export type ServiceInput = Partial<Inner<typeof ServiceBodies.create>>
export type EndpointInput = Partial<Inner<typeof EndpointBodies.create>>

export const PasswordChange = Wrapped('user', Loose({ password: Password, original_password: Password }))
export type PasswordChange = Static<typeof PasswordChange>

export const AppCredentialBody = Wrapped(
  'application_credential',
  Loose({
    name: Name(255),
    description: Description,
    secret: Optional(Nullable(Text(4_096, 1))),
    expires_at: Optional(Nullable(Text(64))),
    roles: Optional(Nullable(Type.Array(Loose({ id: Optional(Id), name: Optional(Id) }), { maxItems: 100 }))),
    unrestricted: Optional(Nullable(Type.Boolean())),
    access_rules: Optional(Nullable(Type.Array(Type.Unknown(), { maxItems: 100 }))),
  }),
)
export type AppCredentialBody = Static<typeof AppCredentialBody>

/** Of every route: path parameters and the query are short text without NUL; a parameter given twice is a list. */
export const Params = Type.Record(Type.String(), Id)
export const Query = Type.Record(Type.String(), Type.Union([Text(255), Type.Array(Text(255), { maxItems: 20 })]))
export type Params = Static<typeof Params>
export type Query = Static<typeof Query>
