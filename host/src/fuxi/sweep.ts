import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@gantry/kernel'
import type { HostLog } from '../agent/host-log.ts'
import type { EngineView } from './engine-view.ts'
import type { RecordBook } from './record-book.ts'
import type { Stays } from './stays.ts'
import { reasonToldOf } from './told.ts'

export interface SweepParts {
  readonly book: RecordBook
  readonly stays: Stays
  readonly engines: EngineView
  /** What no running container has for so long is taken off the host, milliseconds: an engine mounts before it starts one. */
  readonly graceMs: number
  readonly clock: Clock
  readonly log: HostLog
}

export interface Sweep {
  close(): Promise<void>
}

/**
 * Ends the stays of volumes whose containers are gone without the plugin having been told: it was away, or Docker had asked for a
 * mount and did not hear the answer.
 */
export function sweep({ book, stays, engines, graceMs, clock, log }: SweepParts): Sweep {
  const closing = new AbortController()
  const unused = new Map<string, number>()

  const look = async (): Promise<void> => {
    const held = book.all().filter(({ holds }) => holds.length > 0)
    const before = new Map(held.map(({ name, holds }) => [name, holds]))
    if (held.length === 0) return unused.clear()
    const used = await engines.used(AbortSignal.any([closing.signal, AbortSignal.timeout(30_000)]))
    for (const name of unused.keys()) if (used.has(name) || !before.has(name)) unused.delete(name)
    for (const [name, holds] of before) {
      if (used.has(name)) continue
      const since = unused.get(name) ?? clock.now()
      unused.set(name, since)
      if (clock.now() - since < graceMs) continue
      log.info({ volume: name }, 'no container uses the volume any more')
      unused.delete(name)
      // Whoever came meanwhile stays.
      await stays.settle(name, (record) => record.holds.filter((id) => !holds.includes(id)))
    }
  }
  const run = async () => {
    while (!closing.signal.aborted) {
      await look().catch((error: unknown) => {
        if (!closing.signal.aborted) log.warn({ reason: reasonToldOf(error) }, 'no look at the containers')
      })
      await sleep(Math.max(graceMs / 4, 250), undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
    }
  }
  const running = run()

  return {
    async close() {
      closing.abort(new Error('the plugin is closing'))
      await running
    },
  }
}
