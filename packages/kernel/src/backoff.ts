import { setTimeout as sleep } from 'node:timers/promises'

export interface BackoffOptions {
  /** First wait, milliseconds. */
  readonly baseMs: number
  /** Longest wait, milliseconds. */
  readonly maxMs: number
  /** A number in [0, 1); `Math.random` unless told. */
  readonly random?: () => number
}

/**
 * The wait before try `attempt` (0-based): "full jitter" exponential back-off, uniform in [base/2, min(max, base·2^n)],
 * so that many agents which lost the same server do not return at the same moment.
 */
export function backoffMs(attempt: number, { baseMs, maxMs, random = Math.random }: BackoffOptions): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30))
  const floor = Math.min(baseMs / 2, ceiling)
  return Math.round(floor + random() * (ceiling - floor))
}

/** Sleeps for the back-off of `attempt`; rejects with the signal's reason if it is aborted. */
export async function backoff(attempt: number, options: BackoffOptions, signal?: AbortSignal): Promise<void> {
  await sleep(backoffMs(attempt, options), undefined, signal ? { signal } : {})
}
