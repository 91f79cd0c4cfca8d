import { orAborted } from '@gantry/kernel'

/** Hears of a download. `signal` only ends the waiting of who gave it. */
export interface Waiter {
  /** Bytes that have come. */
  readonly tell: (current: number) => void
  readonly signal: AbortSignal
}

type Work = (tell: Waiter['tell'], signal: AbortSignal) => Promise<void>

export interface Flights {
  join(key: string, work: Work, waiter: Waiter): Promise<void>
}

interface Flight {
  readonly done: Promise<void>
  readonly waiters: Set<Waiter>
  readonly end: AbortController
}

/**
 * Work of one key is done once for all who ask for it meanwhile. Who goes away ends it only as the last one. All hear of a
 * failure; who asks after it, asks anew.
 */
export function createFlights(): Flights {
  const flights = new Map<string, Flight>()
  return {
    async join(key, work, waiter) {
      waiter.signal.throwIfAborted()
      const flight = flights.get(key) ?? launch(key, work)
      flight.waiters.add(waiter)
      try {
        await orAborted(flight.done, waiter.signal)
      } finally {
        flight.waiters.delete(waiter)
        if (flight.waiters.size === 0) {
          forget(key, flight)
          flight.end.abort()
        }
      }
    },
  }

  function launch(key: string, work: Work): Flight {
    const end = new AbortController()
    const waiters = new Set<Waiter>()
    const tell = (current: number) => {
      for (const waiter of waiters) waiter.tell(current)
    }
    const flight: Flight = { done: work(tell, end.signal), waiters, end }
    flights.set(key, flight)
    void flight.done.catch(() => undefined).finally(() => forget(key, flight))
    return flight
  }

  function forget(key: string, flight: Flight): void {
    if (flights.get(key) === flight) flights.delete(key)
  }
}
