import type { Log } from '@gantry/control'
import { BoundedMap, type Clock, Fault, limiter } from '@gantry/kernel'
import type { RequestId } from '@gantry/model'
import { identityService, type TokenInfo } from '@gantry/openstack'
import { type KnownToken, tokenHash } from '../known-tokens.ts'
import type { OpenAccess } from '../open-access.ts'
import { cannotAsk, longestTrustMs } from './keystone-errors.ts'

/** Asks Keystone what tokens are good for, and remembers it for a while. */
export interface Validator {
  /** Throws `auth.required` for one that is not good, `service.unavailable` when Keystone cannot say. */
  open(token: string, requestId?: RequestId): Promise<TokenInfo>
  /** The same for one whose time may have run out lately; only for who shows a service's token beside it. */
  openExpired(token: string, requestId?: RequestId): Promise<TokenInfo>
  /** Whether what it was good for still stands, also after its time; false two days after that (Keystone's window). */
  stands(token: string, was: TokenInfo): Promise<boolean>
}

export interface ValidatorParts {
  readonly access: Pick<OpenAccess, 'service' | 'known' | 'contextOf'>
  readonly clock: Clock
  readonly log: Log
}

/** A token that was checked longer ago is checked again beside the request that shows it. Milliseconds. */
const freshMs = 60_000
/** How long a refusal is remembered: a client that goes on showing a dead token costs Keystone little. Milliseconds. */
const refusedMs = 10_000
const mostRefused = 4_000
/** After a question that Keystone did not answer, the next ones are not asked: each would wait as long. Milliseconds. */
const restMs = 2_000
/** Questions at the same time; Keystone has few workers. */
const width = 16
/** Those of Keystone have less than a tenth. */
const longestToken = 8_192

export function validator({ access, clock, log }: ValidatorParts): Validator {
  const { known } = access
  const keystone = identityService(access.service)
  const refusedUntil = new BoundedMap<string, number>(mostRefused)
  const flights = new Map<string, Promise<KnownToken | null>>()
  const inTurn = limiter(width)
  const away: { until: number; fault: unknown } = { until: 0, fault: null }

  /** null: it is no good. One question, however many wait for its answer. */
  function ask(token: string, requestId: RequestId | undefined, allowExpired: boolean): Promise<KnownToken | null> {
    const key = `${tokenHash(token)} ${allowExpired}`
    const flight = flights.get(key) ?? asked(token, requestId, allowExpired).finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }

  async function asked(
    token: string,
    requestId: RequestId | undefined,
    allowExpired: boolean,
  ): Promise<KnownToken | null> {
    const context = access.contextOf(requestId === undefined ? {} : { requestId })
    return inTurn(async () => {
      const checkedAt = clock.now()
      if (checkedAt < away.until) throw away.fault
      try {
        const info = await keystone.validate(token, context, { catalog: true, allowExpired })
        if (info !== null) return known.set(token, info, checkedAt)
      } catch (error) {
        const fault = cannotAsk(error, log)
        if (fault instanceof Fault && fault.kind === 'unavailable')
          Object.assign(away, { until: clock.now() + restMs, fault })
        throw fault
      }
      // Also whoever has an open connection with it is to hear of this.
      if (known.get(token)) known.drop(token)
      return null
    })
  }

  const isTrusted = ({ checkedAt }: KnownToken) => clock.now() - checkedAt < longestTrustMs
  const isFresh = ({ checkedAt }: KnownToken) => clock.now() - checkedAt < freshMs

  return {
    async open(token, requestId) {
      requireForm(token)
      const about = known.get(token)
      if (about && clock.now() >= about.expiresAt) throw new Fault('auth.required', { reason: 'the token has expired' })
      if (about && isTrusted(about)) {
        // Whoever shows it does not wait for the answer, and the next one knows.
        if (!isFresh(about)) ask(token, requestId, false).catch(() => undefined)
        return about.info
      }
      const key = tokenHash(token)
      if ((refusedUntil.get(key) ?? 0) > clock.now()) throw unknownToken()
      const found = await ask(token, requestId, false)
      if (found) return found.info
      refusedUntil.set(key, clock.now() + refusedMs)
      throw unknownToken()
    },
    async openExpired(token, requestId) {
      requireForm(token)
      const about = known.get(token)
      const found = about && isTrusted(about) ? about : await ask(token, requestId, true)
      if (found) return found.info
      throw unknownToken()
    },
    async stands(token, was) {
      const about = known.get(token)
      const found = about && isFresh(about) ? about : await ask(token, undefined, true)
      const roles = found?.info.roles ?? []
      return found !== null && (was.roles ?? []).every(({ id }) => roles.some((role) => role.id === id))
    },
  }
}

/** What cannot be one is not sent on: it would not even fit into a header. */
function requireForm(token: string): void {
  if (token.length <= longestToken && /^[\x21-\x7e]+$/.test(token)) return
  throw new Fault('auth.required', { reason: 'the token is malformed' })
}

function unknownToken(): Fault {
  return new Fault('auth.required', { reason: 'Keystone does not know the token, or it has expired or was revoked' })
}
