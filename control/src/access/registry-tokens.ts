import { Fault } from '@gantry/kernel'
import type { Secrets } from '../ports/secrets.ts'

/** What a token of the registry is good for (distribution spec, "Token Scope"): `repository`, `demo/app`, `pull` and `push`. */
export interface RegistryGrant {
  readonly type: string
  readonly name: string
  readonly actions: readonly string[]
}

export interface RegistryToken {
  /** Keystone's, which is asked again each time. */
  readonly keystone: string
  readonly access: readonly RegistryGrant[]
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

/** Throws `auth.required` unless the grants have this one. null: everything is granted. */
export function requireGrant(
  access: readonly RegistryGrant[] | null,
  type: string,
  name: string,
  action: string,
): void {
  if (isGranted(access, type, name, action)) return
  throw new Fault('auth.required', { reason: `this one is not for ${action} on ${type} ${name.slice(0, 300)}` })
}

export function isGranted(
  access: readonly RegistryGrant[] | null,
  type: string,
  name: string,
  action: string,
): boolean {
  return access?.some((grant) => grant.type === type && grant.name === name && grant.actions.includes(action)) ?? true
}

function isOurs(opened: unknown): opened is RegistryToken {
  return typeof opened === 'object' && opened !== null && 'kind' in opened && opened.kind === kind
}
