import type { Secret } from '@gantry/kernel'
import type { Caller, RequestId } from '@gantry/model'
import type {
  AppCredential,
  CatalogEndpoint,
  CatalogService,
  Domain,
  Grant,
  GrantActor,
  GrantTarget,
  Group,
  Named,
  Project,
  Region,
  Role,
  TokenInfo,
  User,
} from './identity-model.ts'

/** Who a token stands for. Implemented by the embedded identity provider and by Keystone's. */
export interface TokenVerifier {
  /**
   * Throws `auth.required` for a token that is unknown, expired, revoked, or not scoped to a project. `serviceToken`: another
   * service's own, which brings to its end what a user began while her token was good; it is looked at where Keystone is another
   * service too. Throws `service.unavailable` when nobody can say.
   */
  verify(token: string, requestId: RequestId, serviceToken?: string): Promise<Caller>
}

/** For connections that outlive the request which opened them. */
export interface GrantCheck {
  /**
   * Asked again and again, the answer tells whether what a token rests on still stands: also after its time has run out,
   * but no more once it, its user, project, domain, one of its roles or its application credential was revoked. Throws
   * `auth.required` for a token that is not valid now.
   */
  follow(token: string): Promise<() => Promise<boolean>>
  /**
   * Calls `listener` whenever something was revoked, `isHere`: by this server, until the answer is called. Left out where nobody
   * tells.
   */
  onRevoked?(listener: (isHere: boolean) => void): () => void
  /** Another server says that it has revoked something. */
  revokedElsewhere?(): void
}

/** Who asks the identity service: unlike a `Caller`, the token may have another scope than a project, or none. */
export interface Asker {
  readonly token: TokenInfo
  readonly isAdmin: boolean
  readonly requestId: RequestId
  /** The token itself, where another service must be shown it. */
  readonly shown?: Secret
}

/**
 * What the identity façade may ask for. Administration needs the role `admin`, one's own things need only to be one's
 * own; refusals are `policy.forbidden`, and say the same whether or not the object exists. Lists are ordered by id.
 */
export interface IdentityService {
  /** Throws `auth.required` for a token that is unknown, expired or revoked. */
  authenticate(token: string, requestId: RequestId): Promise<Asker>
  readonly tokens: Tokens
  readonly domains: Collection<Domain, NewDomain>
  readonly projects: Collection<Project, NewProject>
  readonly users: Users
  readonly groups: Groups
  readonly roles: Collection<Role, NewRole>
  readonly regions: Collection<Region, NewRegion>
  readonly services: Collection<CatalogService, NewService>
  readonly endpoints: Collection<CatalogEndpoint, NewEndpoint>
  readonly grants: Grants
  readonly appCredentials: AppCredentials
}

/** What a server needs to know of people, whoever keeps them: the embedded identity provider, or a Keystone. */
export interface IdentityProvider extends TokenVerifier, GrantCheck, Pick<IdentityService, 'authenticate'> {
  readonly tokens: Pick<Tokens, 'issue' | 'projects' | 'revoke'>
  readonly appCredentials: Pick<AppCredentials, 'create' | 'remove'>
}

/** By id, or by name and the domain that holds it. */
export type Ref =
  | { readonly id: string }
  | { readonly name: string; readonly domain: { readonly id: string } | { readonly name: string } }
export type DomainRef = { readonly id: string } | { readonly name: string }

export type LogIn =
  | { readonly method: 'password'; readonly user: Ref; readonly password: string }
  | { readonly method: 'token'; readonly token: string }
  | {
      readonly method: 'application_credential'
      readonly credential: { readonly id: string } | { readonly name: string; readonly user: Ref }
      readonly secret: string
    }

/** `default`: the user's default project, or no scope; after a log-in by token, that token's scope. */
export type WantedScope =
  | { readonly kind: 'default' | 'unscoped' | 'system' }
  | { readonly kind: 'project'; readonly project: Ref }
  | { readonly kind: 'domain'; readonly domain: DomainRef }

export interface Tokens {
  /**
   * Logs in. `address` is where the request comes from; failures are counted by it and the user.
   * Throws `auth.failed`, `auth.no-access`, `auth.slowed`, `auth.busy`.
   */
  issue(logIn: LogIn, scope: WantedScope, address: string): Promise<{ token: string; info: TokenInfo }>
  /** One's own token; anyone's for administrators and services. Throws `identity.not-found` for one that is not valid. */
  check(asker: Asker, token: string): Promise<TokenInfo>
  /** As with `check`. What was opened with it ends; other tokens of the same log-in stay. */
  revoke(asker: Asker, token: string): Promise<void>
  /** Every enabled service that has endpoints. */
  catalog(): Promise<CatalogEntry[]>
  /** What a token of this user could be scoped to. */
  projects(asker: Asker): Promise<Project[]>
  domains(asker: Asker): Promise<Domain[]>
  system(asker: Asker): Promise<boolean>
}

export interface CatalogEntry {
  readonly service: CatalogService
  readonly endpoints: readonly CatalogEndpoint[]
}

/** `New` also names what may be changed later; what may not is refused with `request.invalid`. */
export interface Collection<T, New> {
  create(asker: Asker, input: New): Promise<T>
  get(asker: Asker, id: string): Promise<T>
  /** All whose fields equal those of the filter. */
  list(asker: Asker, filter: Partial<T>): Promise<T[]>
  update(asker: Asker, id: string, change: Partial<New>): Promise<T>
  remove(asker: Asker, id: string): Promise<void>
}

export type NewDomain = Pick<Domain, 'name'> & Partial<Omit<Domain, 'id'>>
/** Without a domain: the parent's, or the asker's. */
export type NewProject = Pick<Project, 'name'> & Partial<Omit<Project, 'id'>>
export type NewUser = Pick<User, 'name'> & Partial<Omit<User, 'id'>> & { readonly password?: string }
export type NewGroup = Pick<Group, 'name'> & Partial<Omit<Group, 'id'>>
export type NewRole = Pick<Role, 'name'> & Partial<Omit<Role, 'id'>>
export type NewRegion = Partial<Region>
export type NewService = Pick<CatalogService, 'type'> & Partial<Omit<CatalogService, 'id'>>
export type NewEndpoint = Pick<CatalogEndpoint, 'serviceId' | 'interface' | 'url'> &
  Partial<Omit<CatalogEndpoint, 'id'>>

export interface Users extends Collection<User, NewUser> {
  /** By the user herself. Revokes her tokens. */
  changePassword(asker: Asker, userId: string, original: string, next: string, address: string): Promise<void>
  projects(asker: Asker, userId: string): Promise<Project[]>
  groups(asker: Asker, userId: string): Promise<Group[]>
}

export interface Groups extends Collection<Group, NewGroup> {
  members(asker: Asker, groupId: string): Promise<User[]>
  addMember(asker: Asker, groupId: string, userId: string): Promise<void>
  removeMember(asker: Asker, groupId: string, userId: string): Promise<void>
  hasMember(asker: Asker, groupId: string, userId: string): Promise<boolean>
}

export interface GrantQuery {
  readonly actor?: GrantActor
  readonly target?: GrantTarget
  readonly roleId?: string
  /** Instead of a group's grants, those that its members get from it. */
  readonly effective: boolean
}

/** A grant with the names of what it speaks of; `domain` is null for what has none. */
export interface NamedGrant {
  readonly grant: Grant
  readonly role: Named
  readonly actor: Named & { readonly domain: Named }
  readonly target: (Named & { readonly domain: Named | null }) | null
}

export interface Grants {
  add(asker: Asker, grant: Grant): Promise<void>
  /** Revokes the tokens that say so. Throws `identity.not-found` when there is none. */
  remove(asker: Asker, grant: Grant): Promise<void>
  has(asker: Asker, grant: Grant): Promise<boolean>
  roles(asker: Asker, actor: GrantActor, target: GrantTarget): Promise<Role[]>
  list(asker: Asker, query: GrantQuery): Promise<NamedGrant[]>
}

export interface NewAppCredential {
  readonly name: string
  readonly description?: string
  /** Absent: one is made up. */
  readonly secret?: string
  /** Absent: all roles of the token. */
  readonly roles?: readonly DomainRef[]
  readonly expiresAt?: number | null
  readonly unrestricted?: boolean
}

export type NamedAppCredential = AppCredential & { readonly roles: readonly Role[] }

export interface AppCredentials {
  /** For the project of the asker's token. The secret is never shown again. */
  create(
    asker: Asker,
    userId: string,
    input: NewAppCredential,
  ): Promise<{ credential: NamedAppCredential; secret: string }>
  list(asker: Asker, userId: string, filter: { name?: string }): Promise<NamedAppCredential[]>
  get(asker: Asker, userId: string, id: string): Promise<NamedAppCredential>
  remove(asker: Asker, userId: string, id: string): Promise<void>
}
