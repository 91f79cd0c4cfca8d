import { backoffMs } from '@gantry/kernel'
import type { RetryHandler } from 'undici'

const passingStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** A registry that cannot be connected to at all is told at once: somebody else may have the image. */
const passingErrors: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_BODY_TIMEOUT'])
const tries = 5
/** Whoever asks for more patience is told of as it is: a person waits. Milliseconds. */
const mostPatienceMs = 10_000

/** Whether a read is tried again, and when. */
export const retryReads: RetryHandler.RetryCallback = (error, { state: { counter } }, done) => {
  const { statusCode, code, headers } = error as Failed
  const isPassing = typeof statusCode === 'number' ? passingStatuses.has(statusCode) : passingErrors.has(code ?? '')
  // A date, which some send, counts as nothing asked for.
  const asked = Number(headers?.['retry-after'] ?? 0) * 1000 || 0
  if (!isPassing || counter > tries || asked > mostPatienceMs) {
    done(error)
    return undefined
  }
  const own = backoffMs(counter - 1, { baseMs: 200, maxMs: mostPatienceMs })
  // Whoever gives up meanwhile has the timer ended.
  return setTimeout(() => done(null), Math.max(asked, own))
}

interface Failed {
  readonly statusCode?: unknown
  readonly code?: string
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
}
