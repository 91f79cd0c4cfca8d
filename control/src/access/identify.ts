import { createHash } from 'node:crypto'
import { assertNever, type Clock, Fault } from '@gantry/kernel'
import type { Caller, RequestId, ShownCredential } from '@gantry/model'
import type { CertificateTable } from '../ports/certificate-table.ts'
import type { GrantCheck, Tokens, TokenVerifier } from '../ports/identity.ts'
import type { Secrets } from '../ports/secrets.ts'
import { credentialTokens } from './credential-tokens.ts'

export interface IdentifyDeps {
  readonly identity: TokenVerifier & GrantCheck & { readonly tokens: Pick<Tokens, 'issue'> }
  readonly certificates: Pick<CertificateTable, 'get'>
  readonly secrets: Secrets
  readonly clock: Clock
}

/** Who a request is from, and whether she may go on. */
export interface Identified {
  readonly caller: Caller
  /** The same for whatever was shown the same credential, and useless to anybody else. */
  readonly credential: string
  /**
   * Whether a connection that was opened as this caller may stay: true when only time has run out, false once the token,
   * its user, project, role or application credential, or the certificate was revoked. Rejects when nobody can tell.
   */
  readonly stillGranted: () => Promise<boolean>
}

export interface Asking {
  readonly requestId: RequestId
  /** Where the request comes from: failures are counted by it. */
  readonly address: string
}

export type Identify = (shown: ShownCredential, asking: Asking) => Promise<Identified>

/**
 * Tells who stands behind what a client shows. Throws `auth.required` or `auth.failed` for what is not valid (any more) or
 * is of another project than the client says, `auth.slowed` and `auth.busy` as logging in does.
 */
export function createIdentify({ identity, certificates, secrets, clock }: IdentifyDeps): Identify {
  const tokens = credentialTokens(identity.tokens, clock)

  async function byToken(token: string, { requestId }: Asking): Promise<Identified> {
    const caller = await identity.verify(token, requestId)
    return { caller, ...(await followToken(identity, token)) }
  }

  async function byCredential(id: string, secret: string, asking: Asking): Promise<Identified> {
    const key = digest('credential', id, secret)
    const once = async () => byToken(await tokens.get(key, { id, secret }, asking.address), asking)
    const first = await once().catch((error: unknown) => {
      if (!isRefusal(error)) throw error
      // Something was revoked that the token rests on; whether the credential still stands only a new log-in tells.
      tokens.forget(key)
      return once()
    })
    let standing = first.stillGranted
    const stillGranted = async () => {
      if (await standing()) return true
      tokens.forget(key)
      try {
        const next = await once()
        standing = next.stillGranted
        return first.caller.roles.every((role) => next.caller.roles.includes(role))
      } catch (error) {
        if (isRefusal(error)) return false
        throw error
      }
    }
    return { caller: first.caller, credential: key, stillGranted }
  }

  async function byCertificate(serial: string, asking: Asking): Promise<Identified> {
    const known = await certificates.get(serial)
    if (!known) throw new Fault('auth.required', { reason: 'the client certificate was revoked, or is unknown here' })
    if (known.expiresAt <= clock.now()) throw new Fault('auth.required', { reason: 'the client certificate has ended' })
    const secret = secrets.open(known.sealedSecret)
    const found = await byCredential(known.appCredentialId, secret, { ...asking, address: 'client certificate' })
    const stillGranted = async () => (await certificates.get(serial)) !== undefined && found.stillGranted()
    return { ...found, credential: digest('certificate', serial), stillGranted }
  }

  return async (shown, asking) => {
    const found = await identified(shown, asking)
    requireProject(found.caller, shown.project)
    return found
  }

  function identified(shown: ShownCredential, asking: Asking): Promise<Identified> {
    switch (shown.kind) {
      case 'token':
        return byToken(shown.token, asking)
      case 'application-credential':
        return byCredential(shown.id, shown.secret, asking)
      case 'certificate':
        return byCertificate(shown.serial, asking)
      default:
        return assertNever(shown, 'a shown credential')
    }
  }
}

/** What a `StreamGuard` watches of a token that was verified. */
export async function followToken(
  identity: Pick<GrantCheck, 'follow'>,
  token: string,
): Promise<Pick<Identified, 'credential' | 'stillGranted'>> {
  return { credential: digest('token', token), stillGranted: await identity.follow(token) }
}

/** Says the same whether or not the other project exists. */
function requireProject({ projectId, projectName }: Caller, said: string | null): void {
  if (said === null || said === projectId || said === projectName) return
  throw new Fault('auth.required', { reason: 'X-Auth-Project-Id names another project than that of the credential' })
}

function isRefusal(error: unknown): boolean {
  return error instanceof Fault && ['auth.required', 'auth.failed', 'auth.no-access'].includes(error.code)
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
