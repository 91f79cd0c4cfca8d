import { createHash } from 'node:crypto'
import type { UpstreamLogin } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { type Dispatcher, request } from 'undici'
import { inTime, jsonOf, readSmall, refusalOf } from './answers.ts'
import type { Challenge } from './challenge.ts'

const mostTokenBytes = 256 * 1024
const mostRemembered = 512
/** For the whole of it: tokens are small. */
const tokenTimeoutMs = 60_000

/** What somebody may do where, as who: one entry of the memory. */
export interface Right {
  readonly origin: string
  /** `repository:library/busybox:pull`; null: only to be known. */
  readonly scope: string | null
  readonly login: UpstreamLogin | null
}

/**
 * Remembers the `Authorization` with which a registry was content. Nothing is asked of the clock: a token that has run out is
 * refused, forgotten and fetched anew.
 */
export interface Authorizations {
  known(right: Right): string | undefined
  forget(right: Right): void
  /**
   * Answers a challenge (distribution spec, "Token Authentication"). null: the registry offers no way in for whom this is.
   * Throws `registry.login` when the login is not taken.
   */
  obtain(right: Right, challenges: readonly Challenge[], signal: AbortSignal): Promise<string | null>
}

export function authorizations(agent: Dispatcher, userAgent: string): Authorizations {
  const memory = new Map<string, string>()
  return {
    known: (right) => memory.get(keyOf(right)),
    forget: (right) => void memory.delete(keyOf(right)),
    async obtain(right, challenges, signal) {
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
      const isBasic = challenges.some(({ scheme }) => scheme === 'basic')
      const header = bearer
        ? `Bearer ${await tokenOf(bearer, right, signal)}`
        : isBasic && right.login
          ? basic(right.login)
          : null
      if (header === null) return null
      for (const oldest of memory.keys()) {
        if (memory.size < mostRemembered) break
        memory.delete(oldest)
      }
      memory.set(keyOf(right), header)
      return header
    },
  }

  async function tokenOf({ parameters }: Challenge, { scope, login, origin }: Right, signal: AbortSignal) {
    const { host } = new URL(origin)
    const { realm = '', service } = parameters
    if (!URL.canParse(realm) || !/^https?:/i.test(realm)) {
      throw new Fault('registry.refused', { reason: `The registry ${host} names no token service.` })
    }
    const url = new URL(realm)
    if (service !== undefined) url.searchParams.set('service', service)
    if (scope !== null) url.searchParams.set('scope', scope)
    if (login) url.searchParams.set('account', login.username)
    const headers = { 'user-agent': userAgent, ...(login ? { authorization: basic(login) } : {}) }
    return inTime(url.host, tokenTimeoutMs, signal, async (within) => {
      const answer = await request(url, { dispatcher: agent, headers, signal: within })
      // Whoever refuses a token refuses the login, whatever number that has.
      if (answer.statusCode >= 400 && answer.statusCode < 500 && answer.statusCode !== 429) {
        const { message } = await refusalOf(url.host, answer, login !== null)
        throw new Fault('registry.login', { reason: message })
      }
      if (answer.statusCode !== 200) throw await refusalOf(url.host, answer, login !== null)
      const content = await readSmall(answer.body, mostTokenBytes)
      const { token, access_token: accessToken } = jsonOf(content?.toString() ?? '')
      const found = typeof token === 'string' ? token : accessToken
      if (typeof found === 'string' && /^[\x21-\x7e]+$/.test(found)) return found
      throw new Fault('registry.refused', { reason: `The token service ${url.host} gave no token.` })
    })
  }
}

function basic({ username, password }: UpstreamLogin): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** Whoever has another password has other rights; the password itself is no key. */
function keyOf({ origin, scope, login }: Right): string {
  const who = login
    ? createHash('sha256')
        .update(JSON.stringify([login.username, login.password]))
        .digest('hex')
    : ''
  return JSON.stringify([origin, scope, who])
}
