import { assertNever } from '@gantry/kernel'
import type { TokenInfo } from './token-info.ts'

/** A project, user or the like: by id, or by name within a domain. */
export type Named =
  | { readonly id: string }
  | { readonly name: string; readonly domain: { readonly id: string } | { readonly name: string } }

/** What a token is to be good for. */
export type Scope =
  | { readonly kind: 'project'; readonly project: Named }
  | { readonly kind: 'domain'; readonly domain: { readonly id: string } | { readonly name: string } }
  | { readonly kind: 'system' }
  /** What a user entrusted to the one who logs in; the token is then for the trust's project. */
  | { readonly kind: 'trust'; readonly trustId: string }
  | { readonly kind: 'unscoped' }
  /** The user's default project; none if she has no such. */
  | { readonly kind: 'default' }

export type Credential =
  | { readonly kind: 'password'; readonly user: Named; readonly password: string; readonly scope: Scope }
  | {
      readonly kind: 'application-credential'
      /** By name, a user is needed beside. */
      readonly id: string | { readonly name: string; readonly user: Named }
      readonly secret: string
    }
  /** A new token made from another one; it ends when that one does. */
  | { readonly kind: 'token'; readonly token: string; readonly scope: Scope }
  /** A user's own token, used as it is and never renewed. `info`, if it was validated already, with its catalog. */
  | { readonly kind: 'given-token'; readonly token: string; readonly info?: TokenInfo }

/** The body of `POST /v3/auth/tokens`. No `switch` here: what is not a kind after all must not be shown by an error. */
export function logInBody(credential: Exclude<Credential, { kind: 'given-token' }>): object {
  if (credential.kind === 'application-credential') {
    const { id, secret } = credential
    const which = typeof id === 'string' ? { id } : id
    const identity = { methods: ['application_credential'], application_credential: { ...which, secret } }
    return { auth: { identity } }
  }
  const scope = scopeOf(credential.scope)
  if (credential.kind === 'token') {
    return { auth: { identity: { methods: ['token'], token: { id: credential.token } }, scope } }
  }
  const { user, password } = credential
  return { auth: { identity: { methods: ['password'], password: { user: { ...user, password } } }, scope } }
}

function scopeOf(scope: Scope): object | string | undefined {
  switch (scope.kind) {
    case 'project':
      return { project: scope.project }
    case 'domain':
      return { domain: scope.domain }
    case 'system':
      return { system: { all: true } }
    case 'trust':
      return { 'OS-TRUST:trust': { id: scope.trustId } }
    case 'unscoped':
      // Without this word Keystone takes the user's default project.
      return 'unscoped'
    case 'default':
      return undefined
    default:
      return assertNever(scope, 'scope')
  }
}
