import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '@gantry/kernel'
import type { Log } from '../ports/log.ts'
import type { Report } from './report-batch.ts'
import { isStoreAway } from './store-away.ts'

/** Reports wait for each other's transaction: all that come while one is written are written by the next. */
export interface ReportQueue {
  /** Settles when it is written down; rejects if it alone cannot be. Those that are added earlier are written no later. */
  add(report: Report): Promise<void>
  close(): void
}

interface Waiting {
  readonly report: Report
  readonly done: PromiseWithResolvers<void>
}

/** In one transaction. More would keep others waiting for too long. */
const mostAtOnce = 1000
const longestPauseMs = 2000

export function createReportQueue(
  write: (reports: readonly Report[]) => Promise<void>,
  log: Pick<Log, 'warn'>,
): ReportQueue {
  let waiting: Waiting[] = []
  let running = false
  const ending = new AbortController()

  async function run(): Promise<void> {
    running = true
    // What comes within one turn of the event loop goes together.
    await setImmediate()
    while (waiting.length > 0) {
      const batch = waiting.slice(0, mostAtOnce)
      waiting = waiting.slice(mostAtOnce)
      await writeAll(batch)
    }
    running = false
  }

  /** What makes a transaction fail need not be the fault of all that are in it. */
  async function writeAll(batch: readonly Waiting[]): Promise<void> {
    try {
      await writeWhenThere(batch.map(({ report }) => report))
      for (const { done } of batch) done.resolve()
    } catch (error) {
      const [only] = batch
      if (batch.length > 1) for (const one of batch) await writeAll([one])
      else only?.done.reject(error)
    }
  }

  /** A store that is away or full for a moment loses nothing: agents wait, and what they say next waits behind. */
  async function writeWhenThere(reports: readonly Report[]): Promise<void> {
    for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        return await write(reports)
      } catch (error) {
        if (ending.signal.aborted || !isStoreAway(error)) throw error
        log.warn({ reports: reports.length, reason: reasonOf(error) }, 'reports wait for the store')
        await sleep(pauseMs, undefined, { signal: ending.signal, ref: false }).catch(() => undefined)
      }
    }
  }

  return {
    add(report) {
      const done = Promise.withResolvers<void>()
      waiting.push({ report, done })
      if (!running) void run()
      return done.promise
    },
    close: () => ending.abort(),
  }
}
