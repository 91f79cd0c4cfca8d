import { backoff, reasonOf } from '@gantry/kernel'
import type { HostLog } from '../agent/host-log.ts'

/**
 * What is taken down behind Docker's back: it waits for nothing that is going away. Tried again for a while; what is left then, or
 * by a crash, is the sweep's.
 */
export interface Releases {
  /** `key`: the port's id. A second one of the same port is the first one. */
  begin(key: string, work: () => Promise<void>): void
  isUnderWay(key: string): boolean
  /** Resolves when that port's is over, at once if there is none. Never rejects. */
  over(key: string): Promise<void>
  /** Resolves when all that were begun until now are over. */
  finished(): Promise<void>
  /** No more tries; resolves when nothing is under way. */
  close(): Promise<void>
}

const mostTries = 6
const pause = { baseMs: 300, maxMs: 10_000 }

export function releases(log: HostLog): Releases {
  const underWay = new Map<string, Promise<void>>()
  const closing = new AbortController()

  const persist = async (port: string, work: () => Promise<void>) => {
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      try {
        await work()
        return
      } catch (error) {
        log.warn({ port, attempt, reason: reasonOf(error) }, 'port not released')
        if (closing.signal.aborted) return
        await backoff(attempt, pause, closing.signal).catch(() => undefined)
      }
    }
  }

  return {
    begin: (key, work) => {
      if (underWay.has(key)) return
      const mine = persist(key, work).finally(() => underWay.delete(key))
      underWay.set(key, mine)
    },
    isUnderWay: (key) => underWay.has(key),
    over: async (key) => underWay.get(key),
    finished: async () => {
      await Promise.all(underWay.values())
    },
    close: async () => {
      closing.abort(new Error('the plugin is closing'))
      await Promise.all(underWay.values())
    },
  }
}
