import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, reasonOf } from '@gantry/kernel'
import type { AuditRecord } from '@gantry/model'
import type { Log } from '../ports/log.ts'
import type { Store } from '../ports/store.ts'

/** How long records wait to be written together. Milliseconds. */
const gatherMs = 100
const mostAtOnce = 500
/** What may wait while the database is away. */
const mostWaiting = 10_000
/** Of calls by nobody known that were refused: who floods a server with them is not to push out what others did. In a minute. */
const mostStrangers = 600
const minuteMs = 60_000

export interface AuditBook extends AsyncDisposable {
  /** Returns at once; what is written shows after about 100 ms. */
  write(record: AuditRecord): void
}

/** Writes records into the store, gathered. What cannot be written is counted in the log, never waited for: no call fails for its record. */
export function auditBook({
  store,
  clock,
  log,
}: {
  readonly store: Pick<Store, 'audit'>
  readonly clock: Clock
  readonly log: Log
}): AuditBook {
  const waiting: AuditRecord[] = []
  const strangers = { minute: 0, count: 0 }
  let lost = 0
  let run: Promise<void> | null = null
  const closing = new AbortController()

  const isTooMany = (record: AuditRecord): boolean => {
    if (record.initiator.id !== 'unknown' || record.outcome !== 'failure') return false
    const minute = Math.floor(clock.now() / minuteMs)
    if (minute !== strangers.minute) Object.assign(strangers, { minute, count: 0 })
    strangers.count += 1
    return strangers.count > mostStrangers
  }
  const writeAll = async () => {
    await sleep(gatherMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
    while (waiting.length > 0) {
      const batch = waiting.splice(0, mostAtOnce)
      try {
        await store.audit.add(batch)
      } catch (error) {
        lost += batch.length
        log.error({ lost, reason: reasonOf(error) }, 'records of the audit could not be written to the database')
      }
    }
    run = null
  }
  return {
    write(record) {
      if (isTooMany(record)) return
      if (waiting.length >= mostWaiting) {
        lost += 1
        return
      }
      waiting.push(record)
      run ??= writeAll()
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await run
    },
  }
}
