import { backoffMs, type Clock } from '@gantry/kernel'
import type { Method } from './call.ts'

/** What became of one attempt: an answer, or the code of a network error. */
export interface Outcome {
  readonly status?: number
  readonly errorCode?: string
  readonly retryAfter?: string | undefined
}

export interface Patience {
  /** Attempts in all. */
  readonly tries: number
  readonly baseMs: number
  readonly maxMs: number
  /** A service that asks for more patience than this is told of as it is. */
  readonly mostAskedMs: number
}

export const usualPatience: Patience = { tries: 5, baseMs: 250, maxMs: 8000, mostAskedMs: 30_000 }

/** The request cannot have arrived. */
const notSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])
/** It may have. */
const cutOff: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_BODY_TIMEOUT',
])
const passing: ReadonlySet<number> = new Set([502, 503, 504])

export interface Attempt {
  /** From 0. */
  readonly attempt: number
  /** Whether doing it twice is the same as doing it once. */
  readonly mayRepeat: boolean
  readonly outcome: Outcome
}

/** How long to wait before the next attempt, milliseconds; undefined: there is none. A refusal by rate (429) did nothing yet. */
export function waitBeforeRepeat(
  { attempt, mayRepeat, outcome }: Attempt,
  patience: Patience,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): number | undefined {
  if (attempt + 1 >= patience.tries) return undefined
  const { status, errorCode = '' } = outcome
  const isWorthIt =
    status === undefined
      ? notSent.has(errorCode) || (mayRepeat && cutOff.has(errorCode))
      : status === 429 || (mayRepeat && passing.has(status))
  if (!isWorthIt) return undefined
  const asked = askedMs(outcome.retryAfter, clock)
  if (asked > patience.mostAskedMs) return undefined
  // Those that were sent away together are not to come back together.
  return asked + backoffMs(attempt, { ...patience, random })
}

/** Idempotent by HTTP. */
export function isIdempotent(method: Method): boolean {
  return method !== 'POST' && method !== 'PATCH'
}

/** Seconds or a date. */
function askedMs(retryAfter: string | undefined, clock: Clock): number {
  if (retryAfter === undefined || retryAfter.trim() === '') return 0
  const seconds = Number(retryAfter)
  const ms = Number.isNaN(seconds) ? Date.parse(retryAfter) - clock.now() : seconds * 1000
  return Number.isNaN(ms) ? 0 : Math.max(0, ms)
}
