import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Of one call, in all. A command line is not kept waiting for longer. */
const mostMs = 60_000
const mostWaits = 8

/** Waits as long as servers ask for in `Retry-After`, within bounds. For one call; `say` tells whoever looks on. */
export class Patience {
  readonly #say: (sentence: string) => unknown
  #leftMs = mostMs
  #left = mostWaits

  constructor(say = (sentence: string): unknown => process.stderr.write(`gantry: ${sentence}\n`)) {
    this.#say = say
  }

  /** false: there is no patience left, and nothing was waited for. Rejects when the signal is aborted. */
  async wait({ headers }: Pick<IncomingMessage, 'headers'>, signal?: AbortSignal): Promise<boolean> {
    const asked = Number(headers['retry-after'])
    // Those who were refused together should not come again together.
    const ms = (Number.isFinite(asked) && asked >= 1 ? asked : 1) * 1000 + Math.random() * 250
    if (this.#left === 0 || ms > this.#leftMs) return false
    this.#left -= 1
    this.#leftMs -= ms
    this.#say(`The server is asked for too much; trying again in ${Math.round(ms / 1000)} s.`)
    await sleep(ms, undefined, signal ? { signal } : {})
    return true
  }
}
