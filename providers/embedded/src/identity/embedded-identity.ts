import type { GrantCheck, IdentityService, IdentityStore, TokenVerifier } from '@gantry/control'
import { type Clock, Fault, type Ids, throttle } from '@gantry/kernel'
import type { ProjectId, UserId } from '@gantry/model'
import { appCredentials } from './app-credentials.ts'
import { endpoints, regions, services } from './catalog.ts'
import { grants } from './grants.ts'
import { groups } from './groups.ts'
import { keyRing } from './key-ring.ts'
import { domains, projects, roles } from './owners.ts'
import type { Parts } from './parts.ts'
import { passwords } from './passwords.ts'
import { authenticate, tokenService } from './token-service.ts'
import { tokenBox } from './tokens.ts'
import { users } from './users.ts'

export interface EmbeddedIdentityOptions {
  readonly store: IdentityStore
  readonly clock: Clock
  readonly ids: Ids
  /** 1 to 8 hours; 8 hours unless given. */
  readonly tokenLifeMs?: number
  /** How long a key signs; a week unless given. */
  readonly rotateKeysMs?: number
}

const hourMs = 3_600_000

/** An identity service of our own, for clouds that have no Keystone. */
export function embeddedIdentity(options: EmbeddedIdentityOptions): IdentityService & TokenVerifier & GrantCheck {
  const { store, clock, ids } = options
  const tokenLifeMs = Math.min(8 * hourMs, Math.max(hourMs, options.tokenLifeMs ?? 8 * hourMs))
  const rotateMs = options.rotateKeysMs ?? 7 * 24 * hourMs
  const keys = keyRing({ table: store.signingKeys, clock, ids, rotateMs, tokenLifeMs })
  const box = tokenBox({ store, keys, clock, tokenLifeMs })
  const parts: Parts = { store, clock, ids, passwords: passwords(), throttle: throttle(clock), box, tokenLifeMs }
  return {
    authenticate: (token, requestId) => authenticate(parts, token, requestId),
    async verify(token, requestId) {
      const { token: info, isAdmin } = await authenticate(parts, token, requestId)
      if (info.scope.kind !== 'project') throw new Fault('auth.required', { reason: 'the token has no project' })
      return {
        userId: info.user.id as UserId,
        userName: info.user.name,
        projectId: info.scope.project.id as ProjectId,
        projectName: info.scope.project.name,
        roles: info.roles.map(({ name }) => name),
        isAdmin,
        requestId,
      }
    },
    async follow(token) {
      const info = await box.open(token)
      return async () => !(await box.isRevoked(info))
    },
    onRevoked: (listener) => box.onRevoked(listener),
    revokedElsewhere: () => box.revokedElsewhere(),
    tokens: tokenService(parts),
    domains: domains(parts),
    projects: projects(parts),
    users: users(parts),
    groups: groups(parts),
    roles: roles(parts),
    regions: regions(parts),
    services: services(parts),
    endpoints: endpoints(parts),
    grants: grants(parts),
    appCredentials: appCredentials(parts),
  }
}
