import type { Log } from '@gantry/control'
import { type Clock, Fault, type Ids } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import { type Context, type Credential, identityService, openCloud, type Session } from '@gantry/openstack'
import { callLog } from './call-log.ts'
import type { CloudAccess } from './cloud-access.ts'
import { type KnownToken, type KnownTokens, knownTokens } from './known-tokens.ts'
import { dropping, late, timely, vouchedFor } from './sessions.ts'
import type { CloudSettings } from './settings.ts'

/** One cloud, with the connections to it. */
export interface OpenAccess extends CloudAccess, AsyncDisposable {
  /** Of somebody who logs in by herself. */
  session(credential: Credential): Session
  readonly known: KnownTokens
}

export interface AccessParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
}

/** All tries of one call on a user's errand: she waits for it. Milliseconds. */
const errandMs = 30_000
/** The same where nobody waits. */
const ownMs = 120_000
/** A token that ends sooner is vouched for: a busy service may look at it only then. Milliseconds. */
const nearEndMs = 120_000

/** Asks nothing yet. Throws `machine.unfit` if an address or the file of authorities is no good. */
export async function openAccess(settings: CloudSettings, { clock, ids, log }: AccessParts): Promise<OpenAccess> {
  const { authUrl, credential, region, interface: kind, caFile, insecure, endpoints } = settings
  const cloud = await openCloud({
    authUrl,
    interface: kind,
    endpoints,
    insecure,
    clock,
    ids,
    seen: callLog(log, clock),
    ...(region !== undefined && { region }),
    ...(caFile !== undefined && { caFile }),
  })
  const known = knownTokens(clock)
  const service = timely(cloud.session(credential))

  /** The token was good when its user came; what she began goes on although its time may be over, but not if it was revoked. */
  async function lookedUp(token: string, context: Context): Promise<KnownToken | null> {
    const checkedAt = clock.now()
    const info = await identityService(service).validate(token, context, { catalog: true, allowExpired: true })
    return info && known.set(token, info, checkedAt)
  }

  async function usersSession(token: string, context: Context): Promise<Session> {
    const about = known.get(token) ?? (await lookedUp(token, context))
    const session = timely(cloud.session({ kind: 'given-token', token, ...(about && { info: about.info }) }))
    const vouchAfter = about ? about.expiresAt - nearEndMs : Number.POSITIVE_INFINITY
    return dropping(
      known,
      token,
      vouchedFor(session, service, () => clock.now() >= vouchAfter),
    )
  }

  return {
    service,
    known,
    session: (other) => timely(cloud.session(other)),
    of({ token }: Pick<Caller, 'token'>) {
      if (!token) throw new Fault('auth.required', { reason: 'the cloud must be shown a token of Keystone’s' })
      return late((context) => usersSession(token.reveal(), context))
    },
    contextOf: ({ requestId }) => ({
      signal: AbortSignal.timeout(errandMs),
      ...(requestId !== undefined && { requestId }),
    }),
    ownContext: () => ({ signal: AbortSignal.timeout(ownMs) }),
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  }
}
