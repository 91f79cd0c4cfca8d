import type { DomainRef, LogIn, Ref, WantedScope } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { AuthBody, AuthScope, DomainRef as WireDomainRef, ObjectRef } from './schemas.ts'

type Identity = AuthBody['auth']['identity']

/** How the client proves who it is. Throws `request.invalid`; `auth.required` for a method that is not offered. */
export function toLogIn(identity: Identity): LogIn {
  const [method, ...others] = new Set(identity.methods)
  if (method === undefined || others.length > 0) {
    throw new Fault('auth.required', { reason: 'exactly one log-in method must be given' })
  }
  switch (method) {
    case 'password': {
      const { user } = given(identity.password, 'auth.identity.password')
      return { method, user: toRef(user, 'auth.identity.password.user'), password: user.password }
    }
    case 'token':
      return { method, token: given(identity.token, 'auth.identity.token').id }
    case 'application_credential': {
      const credential = given(identity.application_credential, 'auth.identity.application_credential')
      return { method, credential: toCredentialRef(credential), secret: credential.secret }
    }
    default:
      throw new Fault('auth.required', { reason: `the log-in method ${method.slice(0, 64)} is not offered` })
  }
}

function toCredentialRef(
  credential: NonNullable<Identity['application_credential']>,
): Extract<LogIn, { method: 'application_credential' }>['credential'] {
  if (credential.id !== undefined) return { id: credential.id }
  const path = 'auth.identity.application_credential'
  const name = given(credential.name, `${path}.id (or name and user)`)
  return { name, user: toRef(given(credential.user, `${path}.user`), `${path}.user`) }
}

/** What the token shall be good for. */
export function toScope(scope: AuthScope): WantedScope {
  if (scope === undefined) return { kind: 'default' }
  if (scope === 'unscoped') return { kind: 'unscoped' }
  if ('OS-TRUST:trust' in scope)
    throw new Fault('request.unsupported', { feature: 'OS-TRUST', reason: 'no trusts here' })
  const { project, domain, system } = scope
  const asked = [project, domain, system, 'unscoped' in scope || undefined].filter((one) => one !== undefined)
  if (asked.length !== 1) invalid('auth.scope must name exactly one of project, domain, system and unscoped.')
  if (project) return { kind: 'project', project: toRef(project, 'auth.scope.project') }
  if (domain) return { kind: 'domain', domain: toDomainRef(domain, 'auth.scope.domain') }
  if (system && !system.all) invalid('auth.scope.system.all must be true.')
  return { kind: system ? 'system' : 'unscoped' }
}

function toRef({ id, name, domain }: ObjectRef, path: string): Ref {
  if (id !== undefined) return { id }
  return {
    name: given(name, `${path}.id (or name and domain)`),
    domain: toDomainRef(given(domain, `${path}.domain`), `${path}.domain`),
  }
}

function toDomainRef({ id, name }: WireDomainRef, path: string): DomainRef {
  return id !== undefined ? { id } : { name: given(name, `${path}.id (or name)`) }
}

function given<T>(value: T | undefined, what: string): T {
  return value === undefined ? invalid(`${what} is missing.`) : value
}

function invalid(problem: string): never {
  throw new Fault('request.invalid', { problem })
}
