import { backoff, reasonOf } from '@gantry/kernel'
import type { Engine } from '../engine/engine.ts'
import type { EngineEvent } from '../engine/engine-types.ts'

export interface EngineLinkOptions {
  readonly engine: Engine
  /** `key=value`; only events of objects that carry it are heard. */
  readonly label: string
  /** The engine answers and its events are being heard; everything before this moment must be looked up. */
  readonly onUp: () => Promise<void>
  readonly onDown: (reason: string) => void
  readonly onEvent: (event: EngineEvent) => void
}

/** The standing connection to the engine's events: tells whether the engine is there, and what happens in it. */
export interface EngineLink {
  readonly state: { readonly up: boolean; readonly reason: string }
  /** Resolves when the engine is up (at once if it is). */
  whenUp(signal: AbortSignal): Promise<void>
}

export function engineLink(options: EngineLinkOptions, signal: AbortSignal): EngineLink {
  let state = { up: false, reason: 'not connected yet' }
  let waiting: (() => void)[] = []

  const goDown = (reason: string) => {
    const news = state.up || state.reason !== reason
    state = { up: false, reason }
    if (news) options.onDown(reason)
  }
  const listen = async (): Promise<void> => {
    // Ends the stream even if nobody has begun to read it, as when the first look at the engine fails.
    const listening = new AbortController()
    try {
      const events = await options.engine.events(options.label, AbortSignal.any([signal, listening.signal]))
      await options.onUp()
      state = { up: true, reason: '' }
      for (const resume of waiting.splice(0)) resume()
      for await (const event of events) options.onEvent(event)
    } finally {
      listening.abort(new Error('no longer listening'))
    }
  }
  const run = async () => {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await listen()
        goDown('its event stream ended')
      } catch (error) {
        if (signal.aborted) return
        goDown(reasonOf(error))
      }
      if (state.reason === 'its event stream ended') attempt = 0
      await backoff(attempt, { baseMs: 50, maxMs: 5000 }, signal).catch(() => undefined)
    }
  }
  void run()

  return {
    get state() {
      return state
    },
    whenUp: (waiter) => {
      if (state.up) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const resume = () => {
          waiter.removeEventListener('abort', leave)
          resolve()
        }
        const leave = () => {
          waiting = waiting.filter((other) => other !== resume)
          reject(waiter.reason)
        }
        if (waiter.aborted) return leave()
        waiter.addEventListener('abort', leave, { once: true })
        waiting.push(resume)
      })
    },
  }
}
