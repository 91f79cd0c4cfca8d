/** One piece of work that several wait for. `tell` hears of its progress; `signal` only ends the wait of who gave it. */
export interface Flights {
  join<P>(
    key: string,
    work: (tell: (told: P) => void, signal: AbortSignal) => Promise<void>,
    waiter: Waiter<P>,
  ): Promise<void>
}

export interface Waiter<P> {
  readonly tell: (told: P) => void
  readonly signal: AbortSignal
}

interface Flight {
  readonly done: Promise<void>
  readonly waiters: Set<Waiter<never>>
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
      const flight = flights.get(key) ?? launch(key, work as never)
      flight.waiters.add(waiter as Waiter<never>)
      try {
        await orAborted(flight.done, waiter.signal)
      } finally {
        flight.waiters.delete(waiter as Waiter<never>)
        if (flight.waiters.size === 0) {
          forget(key, flight)
          flight.end.abort()
        }
      }
    },
  }

  function launch(key: string, work: (tell: (told: never) => void, signal: AbortSignal) => Promise<void>): Flight {
    const end = new AbortController()
    const waiters = new Set<Waiter<never>>()
    const tell = (told: never) => {
      for (const waiter of waiters) waiter.tell(told)
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

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const stop = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
