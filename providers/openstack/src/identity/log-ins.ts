import type { LogIn, TokenInfo, Tokens, WantedScope } from '@gantry/control'
import { assertNever, type Clock, Fault, limiter, throttle } from '@gantry/kernel'
import { type Credential, isOpenStackError, type Scope } from '@gantry/openstack'
import type { OpenAccess } from '../open-access.ts'
import { tokenInfoOf } from './token-facts.ts'

export interface LogInParts {
  readonly access: Pick<OpenAccess, 'session' | 'known' | 'contextOf'>
  readonly clock: Clock
  /** What is known of a token that somebody logs in with; `auth.required` for one that is not good. */
  readonly infoOf: (token: string) => Promise<TokenInfo>
  /** What a failure of Keystone's means for whoever logs in. */
  readonly failureOf: (error: unknown) => unknown
}

/** At the same time: each costs Keystone a hash that is slow by design. */
const width = 8

/** Logs users in at Keystone. Guesses are slowed down here as well, so that they neither burden Keystone nor lock anybody out there. */
export function logIns({ access, clock, infoOf, failureOf }: LogInParts): Tokens['issue'] {
  const slowing = throttle(clock)
  const inTurn = limiter(width)

  async function issued(credential: Credential): Promise<{ token: string; info: TokenInfo }> {
    const session = access.session(credential)
    const context = access.contextOf({})
    const askedAt = clock.now()
    const token = await session.token(context)
    const said = await session.info(context)
    access.known.set(token, said, askedAt)
    return { token, info: tokenInfoOf(said) }
  }

  async function byToken(token: string, wanted: WantedScope) {
    const scope = wanted.kind === 'default' ? sameScope(await infoOf(token)) : scopeOf(wanted)
    return issued({ kind: 'token', token, scope }).catch(async (error: unknown) => {
      if (isOpenStackError(error, 403)) throw new Fault('identity.refused', { reason: error.reason }, error)
      if (!isRefusal(error)) throw failureOf(error)
      // Keystone says the same for a token that is no good and for a project that it does not lead to.
      const { user } = await infoOf(token)
      throw new Fault('auth.no-access', { user: user.name, scope: nameOf(wanted) }, error)
    })
  }

  async function bySecret(credential: Credential, key: string) {
    slowing.check(key)
    return inTurn(async () => {
      slowing.check(key)
      try {
        const done = await issued(credential)
        slowing.succeeded(key)
        return done
      } catch (error) {
        if (!isRefusal(error)) throw failureOf(error)
        slowing.failed(key)
        throw new Fault('auth.failed', {}, error)
      }
    })
  }

  return async (logIn, wanted, address) => {
    if (logIn.method === 'token') return byToken(logIn.token, wanted)
    if (logIn.method === 'password') {
      const { user, password } = logIn
      const credential: Credential = { kind: 'password', user, password, scope: scopeOf(wanted) }
      return bySecret(credential, `user ${JSON.stringify(user)} ${address}`)
    }
    if (wanted.kind !== 'default') {
      throw new Fault('auth.required', { reason: 'an application credential has its own scope; ask for none' })
    }
    return bySecret(credentialOf(logIn), `credential ${JSON.stringify(logIn.credential)} ${address}`)
  }
}

function credentialOf({ credential, secret }: Extract<LogIn, { method: 'application_credential' }>): Credential {
  const id = 'id' in credential ? credential.id : credential
  return { kind: 'application-credential', id, secret }
}

/** 404: there is no such application credential; 400: what cannot be the name of anybody. */
function isRefusal(error: unknown): boolean {
  return isOpenStackError(error) && [400, 401, 403, 404].includes(error.status ?? 0)
}

function scopeOf(wanted: WantedScope): Scope {
  switch (wanted.kind) {
    case 'default':
    case 'unscoped':
    case 'system':
      return { kind: wanted.kind }
    case 'project':
      return { kind: 'project', project: wanted.project }
    case 'domain':
      return { kind: 'domain', domain: wanted.domain }
    default:
      return assertNever(wanted, 'a scope')
  }
}

function sameScope({ scope }: TokenInfo): Scope {
  switch (scope.kind) {
    case 'project':
      return { kind: 'project', project: { id: scope.project.id } }
    case 'domain':
      return { kind: 'domain', domain: { id: scope.domain.id } }
    case 'system':
    case 'unscoped':
      return { kind: scope.kind }
    default:
      return assertNever(scope, 'a scope')
  }
}

function nameOf(wanted: WantedScope): string {
  if (wanted.kind !== 'project' && wanted.kind !== 'domain') return `the ${wanted.kind} scope`
  const ref = wanted.kind === 'project' ? wanted.project : wanted.domain
  return `${wanted.kind} ${'id' in ref ? ref.id : ref.name}`
}
