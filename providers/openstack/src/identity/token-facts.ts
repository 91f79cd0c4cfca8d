import type { TokenInfo, TokenScope } from '@gantry/control'
import { Fault, Secret } from '@gantry/kernel'
import type { Caller, ProjectId, RequestId, UserId } from '@gantry/model'
import type { TokenInfo as KeystoneInfo } from '@gantry/openstack'

type Owner = KeystoneInfo['user']

/** What Keystone says of a token, in control's words. */
export function tokenInfoOf(said: KeystoneInfo): TokenInfo {
  const { user, methods, roles = [], audit_ids: auditIds = [], application_credential: credential } = said
  return {
    methods,
    user: inDomain(user),
    scope: scopeOf(said),
    roles,
    auditIds,
    issuedAt: Date.parse(said.issued_at),
    expiresAt: Date.parse(said.expires_at),
    appCredential: credential
      ? { id: credential.id, name: credential.name ?? credential.id, restricted: credential.restricted ?? true }
      : null,
  }
}

/** Who asks with such a token. Throws `auth.required` for one that is of no project. */
export function callerOfToken(token: string, said: KeystoneInfo, requestId: RequestId): Caller {
  const { user, project, roles = [] } = said
  if (!project) throw new Fault('auth.required', { reason: 'the token has no project' })
  return {
    userId: user.id as UserId,
    userName: user.name,
    projectId: project.id as ProjectId,
    projectName: project.name,
    roles: roles.map(({ name }) => name),
    isAdmin: isAdmin(said),
    requestId,
    token: new Secret(token),
  }
}

/** An administrator of the cloud; in most clouds whoever has the role in any project. */
export function isAdmin(said: KeystoneInfo): boolean {
  return hasRole(said, 'admin') && said.is_admin_project !== false
}

/** As the policies of OpenStack's services compare them: in whatever case. */
export function hasRole({ roles = [] }: Pick<KeystoneInfo, 'roles'>, role: string): boolean {
  return roles.some(({ name }) => name.toLowerCase() === role)
}

function scopeOf({ project, domain, system }: KeystoneInfo): TokenScope {
  if (project) return { kind: 'project', project: inDomain(project) }
  if (domain) return { kind: 'domain', domain: { id: domain.id, name: domain.name ?? domain.id } }
  return system?.all === true ? { kind: 'system' } : { kind: 'unscoped' }
}

function inDomain({ id, name, domain }: Owner) {
  return { id, name, domain: { id: domain.id, name: domain.name ?? domain.id } }
}
