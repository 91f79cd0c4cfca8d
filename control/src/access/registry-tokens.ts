import { Fault } from '@gantry/kernel'
import type { Secrets } from '../ports/secrets.ts'

/** What a token of the registry is good for (distribution spec, "Token Scope"): `repository`, `demo/app`, `pull` and `push`. */
export interface RegistryGrant {
  readonly type: string
  readonly name: string
  readonly actions: readonly string[]
}

/** What a token allows, and what was asked for and may not be had: asking again would be of no use. */
export interface RegistryAccess {
  readonly granted: readonly RegistryGrant[]
  readonly refused: readonly RegistryGrant[]
}

export interface RegistryToken {
  /** Keystone's, each of which must stand each time: the one in whose name all is done, and the one that it was made from. */
  readonly keystone: readonly [string, ...string[]]
  readonly access: RegistryAccess
}

/** Tells it from everything else that the same key has sealed. */
const kind = 'registry-token'

/** Tokens that clients of the registry get for a login: nobody but we can read or make them. */
export function sealRegistryToken(secrets: Secrets, token: RegistryToken): string {
  return Buffer.from(secrets.seal(JSON.stringify({ kind, ...token }))).toString('base64url')
}

/** null: it is not a token of ours. */
export function openRegistryToken(secrets: Secrets, text: string): RegistryToken | null {
  try {
    const opened: unknown = JSON.parse(secrets.open(Buffer.from(text, 'base64url').toString()))
    // Nobody else can have sealed one, so its form needs no second look.
    return isOurs(opened) ? opened : null
  } catch {
    return null
  }
}

/** Throws `auth.scope` for what was not asked for, `policy.forbidden` for what was refused. null: everything is granted. */
export function requireGrant(access: RegistryAccess | null, type: string, name: string, action: string): void {
  if (isGranted(access, type, name, action)) return
  if (access && includes(access.refused, type, name, action)) {
    const reason = 'it is not a repository of your project, or your roles do not let you'
    throw new Fault('policy.forbidden', { action: `${action} on ${name.slice(0, 300)}`, reason })
  }
  throw new Fault('auth.scope', { action, type, name: name.slice(0, 300) })
}

export function isGranted(access: RegistryAccess | null, type: string, name: string, action: string): boolean {
  return access === null || includes(access.granted, type, name, action)
}

function includes(grants: readonly RegistryGrant[], type: string, name: string, action: string): boolean {
  return grants.some((grant) => grant.type === type && grant.name === name && grant.actions.includes(action))
}

function isOurs(opened: unknown): opened is RegistryToken {
  return typeof opened === 'object' && opened !== null && 'kind' in opened && opened.kind === kind
}
