import type { Cluster, Gauges, Log, Policy, Store } from '@gantry/control'
import { audit, createGuards, protect } from '@gantry/http'
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
export function outwardPolicy({ retention, notify, limits }: OutwardOptions): Partial<Policy> {
  return { ...retention, streamRate: limits.streamRate, eventsReadBy: notify === null ? null : notifierMark }
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

/** What stands before all façades of this server: limits, and the audit. */
export function frontDoor(
  { limits, auditLog: target }: OutwardOptions,
  { registry, log, clock, name }: Pick<Parts, 'log' | 'clock'> & { readonly registry: Registry; readonly name: string },
): Door {
  const guards = createGuards(limits, registry)
  const written = target === null ? null : auditLog(target, log)
  return {
    at: (app, facade) => {
      const options = { observer: name, now: () => clock.now(), ...(facade !== undefined && { facade }) }
      if (written) audit(app, { ...options, write: written.write })
      protect(app, guards)
    },
    [Symbol.asyncDispose]: async () => written?.close(),
  }
}
