import type { IdentityStore, TokenInfo } from '@gantry/control'
import { BoundedMap, type Clock, Fault } from '@gantry/kernel'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { KeyRing } from './key-ring.ts'

export interface TokenBox {
  seal(info: TokenInfo): Promise<string>
  /** Throws `auth.required` for a token that is not ours, has expired or was revoked. */
  open(token: string): Promise<TokenInfo>
  /** From now on no token issued so far that concerns one of the subjects is accepted. */
  revoke(...subjects: string[]): Promise<void>
  /** Whether a token that says this was revoked, however long ago its time ran out. */
  isRevoked(info: TokenInfo): Promise<boolean>
  /** Calls `listener` after each revocation, `isHere`: by this box, until the answer is called. */
  onRevoked(listener: (isHere: boolean) => void): () => void
  /** Another server has revoked something. */
  revokedElsewhere(): void
}

export interface TokenBoxOptions {
  readonly store: Pick<IdentityStore, 'revocations'>
  readonly keys: KeyRing
  readonly clock: Clock
  readonly tokenLifeMs: number
}

/** Names of what tokens can be revoked by. */
export const subject = {
  token: (auditId: string) => `token:${auditId}`,
  user: (id: string) => `user:${id}`,
  project: (id: string) => `project:${id}`,
  domain: (id: string) => `domain:${id}`,
  role: (id: string) => `role:${id}`,
  appCredential: (id: string) => `credential:${id}`,
  grant: (userId: string, target: { kind: string; id: string }) => `grant:${userId}:${target.kind}:${target.id}`,
}

const maxRemembered = 2_000
/** How late this server may notice what another one revoked; what it revokes itself it notices at once. */
const recheckMs = 5_000
const maxTokenLength = 12_288

/** Signed tokens (JWS, HMAC-SHA256) that carry everything they say; the store is asked only whether they were revoked. */
export function tokenBox({ store, keys, clock, tokenLifeMs }: TokenBoxOptions): TokenBox {
  const remembered = new BoundedMap<string, { info: TokenInfo; checkedAt: number }>(maxRemembered)
  const listeners = new Set<(isHere: boolean) => void>()
  let generation = 0
  let prunedAt = Number.NEGATIVE_INFINITY

  async function read(token: string): Promise<TokenInfo> {
    if (token.length > maxTokenLength) throw new Fault('auth.required', { reason: 'the token is malformed' })
    try {
      const findKey = async ({ kid }: { kid?: string }) => {
        const key = kid === undefined ? undefined : await keys.find(kid)
        if (!key) throw new Fault('auth.required', { reason: 'the token is unknown here' })
        return key
      }
      const options = { algorithms: ['HS256'], currentDate: new Date(clock.now()) }
      const { payload } = await jwtVerify<{ info: TokenInfo }>(token, findKey, options)
      return payload.info
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Fault('auth.required', { reason: 'the token has expired' })
      if (error instanceof errors.JOSEError) throw new Fault('auth.required', { reason: 'the token is malformed' })
      throw error
    }
  }

  const forget = (isHere: boolean) => {
    generation += 1
    remembered.clear()
    for (const listener of listeners) listener(isHere)
  }
  const isRevoked = (info: TokenInfo) => store.revocations.covers(subjectsOf(info), info.issuedAt)

  return {
    isRevoked,
    onRevoked(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    revokedElsewhere: () => forget(false),
    async seal(info) {
      const { id, key } = await keys.current()
      return new SignJWT({ info })
        .setProtectedHeader({ alg: 'HS256', kid: id })
        .setExpirationTime(Math.ceil(info.expiresAt / 1000))
        .sign(key)
    },
    async open(token) {
      const known = remembered.get(token)
      const now = clock.now()
      if (known && now >= known.info.expiresAt) throw new Fault('auth.required', { reason: 'the token has expired' })
      if (known && now - known.checkedAt < recheckMs) return known.info
      const before = generation
      const info = known?.info ?? (await read(token))
      if (now >= info.expiresAt) throw new Fault('auth.required', { reason: 'the token has expired' })
      if (await isRevoked(info)) {
        remembered.delete(token)
        throw new Fault('auth.required', { reason: 'the token was revoked' })
      }
      // A revocation that came meanwhile may concern this very token.
      if (generation === before) remembered.set(token, { info, checkedAt: now })
      return info
    },
    async revoke(...subjects) {
      const now = clock.now()
      for (const subject of subjects) await store.revocations.add({ subject, at: now, until: now + tokenLifeMs })
      forget(true)
      if (now - prunedAt < tokenLifeMs) return
      prunedAt = now
      await store.revocations.prune(now)
    },
  }
}

function subjectsOf({ auditIds, user, scope, roles, appCredential }: TokenInfo): string[] {
  const subjects = [subject.user(user.id), subject.domain(user.domain.id)]
  const own = auditIds[0]
  if (own !== undefined) subjects.push(subject.token(own))
  for (const role of roles) subjects.push(subject.role(role.id))
  if (appCredential) subjects.push(subject.appCredential(appCredential.id))
  switch (scope.kind) {
    case 'project': {
      const { id, domain } = scope.project
      subjects.push(subject.project(id), subject.domain(domain.id), subject.grant(user.id, { kind: 'project', id }))
      break
    }
    case 'domain': {
      const { id } = scope.domain
      subjects.push(subject.domain(id), subject.grant(user.id, { kind: 'domain', id }))
      break
    }
    case 'system':
      subjects.push(subject.grant(user.id, { kind: 'system', id: 'all' }))
      break
    case 'unscoped':
      break
  }
  return subjects
}
