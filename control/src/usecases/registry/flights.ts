interface Flight<T> {
  readonly result: Promise<T>
  readonly stop: AbortController
  waiting: number
}

/** Runs a task for all who ask for `key` while it runs. Each may stop waiting; when nobody waits any more it is aborted. */
export type Flights<T> = (key: string, task: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) => Promise<T>

export function flights<T>(): Flights<T> {
  const inTheAir = new Map<string, Flight<T>>()
  const take = (key: string, task: (signal: AbortSignal) => Promise<T>): Flight<T> => {
    const known = inTheAir.get(key)
    if (known) return known
    const stop = new AbortController()
    const flight: Flight<T> = { result: task(stop.signal), stop, waiting: 0 }
    inTheAir.set(key, flight)
    const land = () => {
      if (inTheAir.get(key) === flight) inTheAir.delete(key)
    }
    flight.result.then(land, land)
    return flight
  }
  return async (key, task, signal) => {
    signal.throwIfAborted()
    const flight = take(key, task)
    flight.waiting += 1
    const { promise: left, reject } = Promise.withResolvers<never>()
    const leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([flight.result, left])
    } finally {
      signal.removeEventListener('abort', leave)
      flight.waiting -= 1
      if (flight.waiting === 0) {
        // Who comes later begins anew: this one is over, or about to be.
        if (inTheAir.get(key) === flight) inTheAir.delete(key)
        flight.stop.abort()
      }
    }
  }
}
