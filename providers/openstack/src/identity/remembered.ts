import { BoundedMap, type Clock } from '@gantry/kernel'

export interface RememberedOptions {
  readonly clock: Clock
  /** How long an answer counts. Milliseconds. */
  readonly keptMs: number
  readonly most: number
}

/**
 * Answers to questions that are asked again and again. Those who ask at the same time share one question; when it fails, what
 * was answered before is better than nothing.
 */
export function remembered<T>(
  { clock, keptMs, most }: RememberedOptions,
  ask: (key: string) => Promise<T>,
): (key: string) => Promise<T> {
  const known = new BoundedMap<string, { readonly value: T; readonly until: number }>(most)
  const flights = new Map<string, Promise<T>>()

  async function asked(key: string): Promise<T> {
    try {
      const value = await ask(key)
      known.set(key, { value, until: clock.now() + keptMs })
      return value
    } catch (error) {
      const before = known.get(key)
      if (before) return before.value
      throw error
    }
  }

  return async (key) => {
    const entry = known.get(key)
    if (entry && clock.now() < entry.until) return entry.value
    const flight = flights.get(key) ?? asked(key).finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }
}
