import { BoundedMap } from './bounded-map.ts'
import type { Clock } from './clock.ts'
import { Fault } from './faults.ts'

/** So many mistypes cost nothing. */
const free = 5
const firstWaitMs = 1_000
const longestWaitMs = 5 * 60_000
const maxTracked = 10_000

export interface Throttle {
  /** Throws `auth.slowed` while the user must wait. */
  readonly check: (key: string) => void
  readonly failed: (key: string) => void
  readonly succeeded: (key: string) => void
}

/**
 * After a few failures each further one doubles the wait. Keyed by user and address together, so that a stranger cannot
 * lock somebody else out; unknown users are counted like known ones, so that waiting tells nothing.
 */
export function throttle(clock: Clock): Throttle {
  const entries = new BoundedMap<string, { count: number; until: number }>(maxTracked)
  return {
    check(key) {
      const left = (entries.get(key)?.until ?? 0) - clock.now()
      if (left > 0) throw new Fault('auth.slowed', { seconds: Math.ceil(left / 1000) })
    },
    failed(key) {
      const known = entries.get(key)
      // A quiet time as long as the longest wait forgives.
      const forgiven = known === undefined || clock.now() > known.until + longestWaitMs
      const count = (forgiven ? 0 : known.count) + 1
      const wait = count < free ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(count - free, 20))
      entries.set(key, { count, until: clock.now() + wait })
    },
    succeeded: (key) => entries.delete(key),
  }
}
