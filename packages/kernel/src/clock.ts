/** Time as an argument, so that state code never reads the machine's clock by itself. Epoch milliseconds. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
