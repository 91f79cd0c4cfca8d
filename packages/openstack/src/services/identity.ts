import { type Context, path, type Query } from '../call.ts'
import { type Collection, collection, formOf } from '../collection.ts'
import { isOpenStackError } from '../openstack-error.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'
import { type TokenInfo, tokenInfo } from '../token-info.ts'
import * as bodies from './identity-bodies.ts'

/** Keystone v3. */
export interface IdentityService {
  /** What a token is good for; null if it is not, or no longer. */
  validate(token: string, context: Context, options?: ValidateOptions): Promise<TokenInfo | null>
  /** False if it was not good any more. */
  revoke(token: string, context: Context): Promise<boolean>
  readonly projects: Collection<bodies.Project, bodies.ProjectCreate, Partial<bodies.ProjectCreate>>
  readonly domains: Pick<Collection<bodies.Domain, never, never>, 'list' | 'show'>
  readonly users: Collection<bodies.User, bodies.UserCreate, Partial<bodies.UserCreate>>
  readonly services: Collection<bodies.CloudService, bodies.CloudServiceCreate, Partial<bodies.CloudServiceCreate>>
  readonly endpoints: Collection<bodies.Endpoint, bodies.EndpointCreate, Partial<bodies.EndpointCreate>>
  readonly roles: Collection<bodies.Role, bodies.RoleCreate, bodies.RoleCreate>
  readonly trusts: Omit<Collection<bodies.Trust, bodies.TrustCreate, never>, 'update'>
  /** Gives a user a role in a project; nothing changes if she has it. */
  grant(grant: Grant, context: Context): Promise<void>
  /** Takes it back; false if she did not have it. */
  ungrant(grant: Grant, context: Context): Promise<boolean>
  /** The roles that are given to her there, not those that follow from groups. */
  grants(grant: Omit<Grant, 'roleId'>, context: Context): AsyncIterable<bodies.Role>
  /** What whoever asks could have a token for. */
  ownProjects(context: Context): AsyncIterable<bodies.Project>
  /** A user's, which she alone may make, for the project of the token. */
  appCredentials(userId: string): Omit<Collection<bodies.AppCredential, bodies.AppCredentialCreate, never>, 'update'>
}

export interface ValidateOptions {
  /** Left out unless it is asked for. */
  readonly catalog?: boolean
  /** Also one whose time ran out lately (Keystone's `allow_expired_window`), if it was not revoked. */
  readonly allowExpired?: boolean
}

export interface Grant {
  readonly projectId: string
  readonly userId: string
  readonly roleId: string
}

const next = 'own-pages'
const updateMethod = 'PATCH'
const forms = {
  projects: formOf(bodies.Project, { path: '/projects', one: 'project', many: 'projects', updateMethod, next }),
  domains: formOf(bodies.Domain, { path: '/domains', one: 'domain', many: 'domains', updateMethod, next }),
  users: formOf(bodies.User, { path: '/users', one: 'user', many: 'users', updateMethod, next }),
  services: formOf(bodies.CloudService, { path: '/services', one: 'service', many: 'services', updateMethod, next }),
  endpoints: formOf(bodies.Endpoint, { path: '/endpoints', one: 'endpoint', many: 'endpoints', updateMethod, next }),
  roles: formOf(bodies.Role, { path: '/roles', one: 'role', many: 'roles', updateMethod, next }),
  trusts: formOf(bodies.Trust, { path: '/OS-TRUST/trusts', one: 'trust', many: 'trusts', next }),
} as const
const appCredentialForm = formOf(bodies.AppCredential, {
  path: '',
  one: 'application_credential',
  many: 'application_credentials',
  next,
})

export function identityService(session: Session): IdentityService {
  const service = serviceOf(session, kinds.identity)
  const grantPath = ({ projectId, userId, roleId }: Grant) =>
    path`/projects/${projectId}/users/${userId}/roles/${roleId}`
  return {
    async validate(token, context, { catalog = false, allowExpired = false } = {}) {
      const query: Query = { ...(!catalog && { nocatalog: '' }), ...(allowExpired && { allow_expired: 1 }) }
      try {
        return await service.read(
          tokenInfo,
          { method: 'GET', path: '/auth/tokens', query, headers: { 'x-subject-token': token } },
          context,
        )
      } catch (error) {
        if (isOpenStackError(error, 404)) return null
        throw error
      }
    },
    async revoke(token, context) {
      try {
        await service.send({ method: 'DELETE', path: '/auth/tokens', headers: { 'x-subject-token': token } }, context)
        return true
      } catch (error) {
        if (isOpenStackError(error, 404)) return false
        throw error
      }
    },
    projects: collection(service, forms.projects),
    domains: collection<bodies.Domain, never, never>(service, forms.domains),
    users: collection(service, forms.users),
    services: collection(service, forms.services),
    endpoints: collection(service, forms.endpoints),
    roles: collection(service, forms.roles),
    trusts: collection<bodies.Trust, bodies.TrustCreate, never>(service, forms.trusts),
    async grant(grant, context) {
      await service.send({ method: 'PUT', path: grantPath(grant) }, context)
    },
    ungrant: (grant, context) => service.remove(grantPath(grant), context),
    grants: ({ projectId, userId }, context) =>
      service.list(
        path`/projects/${projectId}/users/${userId}/roles`,
        { key: 'roles', item: forms.roles.reader, next: 'whole', marker: ({ id }) => id },
        {},
        context,
      ),
    ownProjects: (context) =>
      service.list(
        '/auth/projects',
        { key: 'projects', item: forms.projects.reader, next: 'whole', marker: ({ id }) => id },
        {},
        context,
      ),
    appCredentials: (userId) =>
      collection(service, { ...appCredentialForm, path: path`/users/${userId}/application_credentials` }),
  }
}
