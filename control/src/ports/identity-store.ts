import type {
  AppCredential,
  CatalogEndpoint,
  CatalogService,
  Domain,
  Grant,
  GrantTarget,
  Group,
  Project,
  Region,
  Role,
  User,
} from './identity-model.ts'

/** What the embedded identity provider keeps. */
export interface IdentityStore {
  readonly domains: EntityTable<Domain>
  /** Removing one takes its grants and application credentials along. */
  readonly projects: EntityTable<Project>
  /** Removing one takes its password, memberships, grants and application credentials along. */
  readonly users: EntityTable<User>
  /** Removing one takes its memberships and grants along. */
  readonly groups: EntityTable<Group>
  /** Removing one takes its grants along. */
  readonly roles: EntityTable<Role>
  readonly regions: EntityTable<Region>
  /** Removing one takes its endpoints along. */
  readonly services: EntityTable<CatalogService>
  readonly endpoints: EntityTable<CatalogEndpoint>
  readonly appCredentials: EntityTable<StoredAppCredential>
  readonly passwords: PasswordTable
  readonly members: MemberTable
  readonly grants: GrantTable
  readonly revocations: RevocationTable
  readonly signingKeys: SigningKeyTable
}

export interface EntityTable<T extends { readonly id: string }> {
  /** Throws `identity.conflict` when the id or the name is taken. */
  insert(entity: T): Promise<void>
  get(id: string): Promise<T | undefined>
  /** All whose fields equal those of the filter, ordered by id. */
  list(filter?: Partial<T>): Promise<T[]>
  /** Throws `identity.conflict` when the new name is taken. */
  update(id: string, change: Partial<Omit<T, 'id'>>): Promise<void>
  remove(id: string): Promise<void>
}

export interface StoredAppCredential extends AppCredential {
  readonly secretHash: string
}

export interface PasswordTable {
  /** The hash in its text form. */
  get(userId: string): Promise<string | undefined>
  set(userId: string, hash: string, at: number): Promise<void>
}

/** Repeating an `add` or a `remove` is no error. */
export interface MemberTable {
  add(groupId: string, userId: string): Promise<void>
  /** Whether there was one. */
  remove(groupId: string, userId: string): Promise<boolean>
  has(groupId: string, userId: string): Promise<boolean>
  users(groupId: string): Promise<User[]>
  groups(userId: string): Promise<Group[]>
}

export interface GrantFilter {
  readonly userId?: string
  readonly groupId?: string
  readonly roleId?: string
  readonly target?: GrantTarget
}

export interface GrantTable {
  add(grant: Grant): Promise<void>
  /** Whether there was one. */
  remove(grant: Grant): Promise<boolean>
  has(grant: Grant): Promise<boolean>
  list(filter: GrantFilter): Promise<Grant[]>
  /** Roles of a user on a target, its own and its groups', each once. */
  rolesOf(userId: string, target: GrantTarget): Promise<Role[]>
  /** Ids of what the user, or a group of the user's, has any role on. */
  targetsOf(userId: string, kind: GrantTarget['kind']): Promise<string[]>
}

/** `subject` names a token, a user, a project … whose tokens issued up to `at` are no longer accepted. */
export interface Revocation {
  readonly subject: string
  readonly at: number
  /** When every such token has expired, and the row can go. */
  readonly until: number
}

export interface RevocationTable {
  /** The later one of the same subject wins. */
  add(revocation: Revocation): Promise<void>
  /** Whether one of the subjects was revoked at `issuedAt` or later. */
  covers(subjects: readonly string[], issuedAt: number): Promise<boolean>
  prune(now: number): Promise<void>
}

export interface SigningKey {
  readonly id: string
  /** Hex. */
  readonly secret: string
  readonly createdAt: number
}

export interface SigningKeyTable {
  /** Newest first. */
  list(): Promise<SigningKey[]>
  add(key: SigningKey): Promise<void>
  remove(id: string): Promise<void>
}
