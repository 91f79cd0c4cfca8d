/** The nouns of identity, as the Identity API v3 knows them. Ids are 32 hex digits unless said; times are epoch ms. */
export interface Domain {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly enabled: boolean
}

export interface Project {
  readonly id: string
  readonly name: string
  readonly domainId: string
  /** null: directly below its domain. */
  readonly parentId: string | null
  readonly description: string
  readonly enabled: boolean
  readonly tags: readonly string[]
}

export interface User {
  readonly id: string
  readonly name: string
  readonly domainId: string
  readonly defaultProjectId: string | null
  readonly email: string | null
  readonly description: string
  readonly enabled: boolean
}

export interface Group {
  readonly id: string
  readonly name: string
  readonly domainId: string
  readonly description: string
}

export interface Role {
  readonly id: string
  readonly name: string
  readonly description: string | null
}

export interface Region {
  /** Chosen by whoever creates it: `RegionOne`. */
  readonly id: string
  readonly description: string
  readonly parentRegionId: string | null
}

export interface CatalogService {
  readonly id: string
  /** What clients look for: `identity`, `container`. */
  readonly type: string
  readonly name: string
  readonly description: string
  readonly enabled: boolean
}

export type EndpointInterface = 'public' | 'internal' | 'admin'

export interface CatalogEndpoint {
  readonly id: string
  readonly serviceId: string
  readonly regionId: string | null
  readonly interface: EndpointInterface
  /** May begin with `{base}`, the scheme, host and port that the client used, so that it is right on any port. */
  readonly url: string
  readonly enabled: boolean
}

export interface GrantActor {
  readonly kind: 'user' | 'group'
  readonly id: string
}

export interface GrantTarget {
  readonly kind: 'project' | 'domain' | 'system'
  /** `all` for the system. */
  readonly id: string
}

/** A role that a user or group has on something (the API's role assignment). */
export interface Grant {
  readonly actor: GrantActor
  readonly target: GrantTarget
  readonly roleId: string
}

/** A second way to log in as its user, with some of the user's roles on one project. */
export interface AppCredential {
  readonly id: string
  readonly name: string
  readonly userId: string
  readonly projectId: string
  readonly description: string
  readonly roleIds: readonly string[]
  readonly expiresAt: number | null
  /** true: may be used to make and delete other application credentials. */
  readonly unrestricted: boolean
}

/** An object with the domain that its name is unique in. */
export interface NamedInDomain {
  readonly id: string
  readonly name: string
  readonly domain: Named
}

export interface Named {
  readonly id: string
  readonly name: string
}

export type TokenScope =
  | { readonly kind: 'unscoped' }
  | { readonly kind: 'project'; readonly project: NamedInDomain }
  | { readonly kind: 'domain'; readonly domain: Named }
  | { readonly kind: 'system' }

/** Everything a token says. It was true when the token was issued; what changed since then revokes it. */
export interface TokenInfo {
  readonly methods: readonly string[]
  readonly user: NamedInDomain
  readonly scope: TokenScope
  readonly roles: readonly Named[]
  /** Its own id first, then the one of the token that its chain began with. */
  readonly auditIds: readonly string[]
  readonly issuedAt: number
  readonly expiresAt: number
  readonly appCredential: (Named & { readonly restricted: boolean }) | null
}
