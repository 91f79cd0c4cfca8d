import {
  type AuditBook,
  auditBook,
  type Cluster,
  type Gauges,
  type Log,
  type Policy,
  type Store,
} from '@gantry/control'
import { audit, type AuditWriter, createGuards, protect } from '@gantry/http'
import type { Clock } from '@gantry/kernel'
import { notifierMark, runNotifier } from '@gantry/providers-messaging'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { auditLog } from './audit-log.ts'
import type { OutwardOptions } from './outward-options.ts'

interface Parts {
  readonly cluster: Cluster
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly gauges: Gauges
  readonly deployment: string
}

/** How long what was written down of changes is kept, and for whom. */
export function outwardPolicy({ retention, audit: kept, notify, limits }: OutwardOptions): Partial<Policy> {
  const { days: auditDays, rows: auditRows, readers: auditReaders } = kept
  return {
    ...retention,
    auditDays,
    auditRows,
    auditReaders,
    streamRate: limits.streamRate,
    eventsReadBy: notify === null ? null : notifierMark,
  }
}

/** Tells a message broker what happens, if there is one; one server at a time does. */
export function tellOutside({ notify }: OutwardOptions, { cluster, ...parts }: Parts): void {
  if (notify === null) return
  const { auditPeriod, ...broker } = notify
  const whole = { ...parts, ...broker, usagePeriod: auditPeriod }
  cluster.lead('notifications', (signal) => runNotifier(whole, signal))
}

export interface Door extends AsyncDisposable {
  /** For each port's app, before its façades. `facade`: the only one that it serves. */
  readonly at: (app: FastifyInstance, facade?: string) => void
}

type DoorParts = Pick<Parts, 'store' | 'log' | 'clock'> & { readonly registry: Registry; readonly name: string }

/** What stands before all façades of this server: limits, and the audit. */
export function frontDoor({ limits, audit: kept }: OutwardOptions, parts: DoorParts): Door {
  const { registry, log, clock, name } = parts
  const guards = createGuards(limits, registry)
  const file = kept.log === null ? null : auditLog(kept.log, log)
  const book: AuditBook | null = kept.days === 0 ? null : auditBook(parts)
  const write: AuditWriter = (record) => {
    file?.write(record)
    book?.write(record)
  }
  return {
    at: (app, facade) => {
      const options = { observer: name, now: () => clock.now(), write, ...(facade !== undefined && { facade }) }
      if (file ?? book) audit(app, options)
      protect(app, guards)
    },
    async [Symbol.asyncDispose]() {
      file?.close()
      await book?.[Symbol.asyncDispose]()
    },
  }
}
