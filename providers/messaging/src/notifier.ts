import { setTimeout as sleep } from 'node:timers/promises'
import type { Cursor, Gauges, Log, Store } from '@gantry/control'
import { backoff, type Clock, reasonOf } from '@gantry/kernel'
import type { BrokerOptions, Broker } from './broker.ts'
import { notificationOf } from './translate.ts'
import { usageDue, tellUsage } from './usage.ts'

export interface NotifierOptions extends BrokerOptions {
  readonly store: Pick<Store, 'capsules' | 'changes' | 'containers'>
  readonly clock: Clock
  readonly log: Log
  readonly gauges: Pick<Gauges, 'told'>
  /** The cloud's own id: part of what makes a notification unique. */
  readonly deployment: string
  /** How often usage is told, seconds; 0: never. */
  readonly usagePeriod: number
}

/** How far the broker has been told. */
export const notifierMark = 'notifications'

const lookEveryMs = 300
const perRound = 200
const retry = { baseMs: 500, maxMs: 30_000 }

/**
 * Tells a message broker what happens to containers, at least once and in order, until the signal is aborted. How far it has come is
 * written down only when the broker has confirmed; while there is none, what happened stays in the store.
 */
export async function runNotifier(options: NotifierOptions, signal: AbortSignal): Promise<void> {
  const { store, log } = options
  if ((await store.changes.mark(notifierMark)) === undefined) {
    await store.changes.setMark(notifierMark, await store.changes.end())
  }
  // The client is only loaded where there is a broker.
  const { openBroker } = await import('./broker.ts')
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      await using broker = await openBroker(options)
      log.info({ exchange: options.exchange, topic: options.topic }, 'notifications go out')
      attempt = 0
      await tell(options, broker, signal)
    } catch (error) {
      if (signal.aborted) return
      options.gauges.told?.('notification', false)
      log.warn({ reason: reasonOf(error) }, 'the message broker cannot be told; trying again')
    }
    await backoff(attempt, retry, signal).catch(() => undefined)
  }
}

async function tell(options: NotifierOptions, broker: Broker, signal: AbortSignal): Promise<void> {
  const { store, deployment, clock, gauges } = options
  let cursor = (await store.changes.mark(notifierMark)) as Cursor
  if (await store.changes.isGone(cursor)) {
    options.log.error({}, 'events were removed before the message broker was told of them')
  }
  while (!signal.aborted) {
    const query = { scope: null, types: ['container.*'], limit: perRound }
    const { changes, next } = await store.changes.after(cursor, query)
    const notifications = changes.flatMap((change) => notificationOf(change, deployment) ?? [])
    if (notifications.length > 0) await broker.publish(notifications)
    for (let told = 0; told < notifications.length; told += 1) gauges.told?.('notification', true)
    if (next !== cursor) await store.changes.setMark(notifierMark, next)
    cursor = next
    const period = await usageDue(options, clock.now())
    if (period) await tellUsage(options, broker, period)
    if (changes.length === perRound) continue
    await Promise.race([sleep(lookEveryMs, undefined, { signal }).catch(() => undefined), broker.lost])
  }
}
