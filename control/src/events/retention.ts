import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from '../deps.ts'

/** Small steps, so that others can write in between. */
const stepRows = 1000
const pauseMs = 50
const everyMs = 60_000
/** After a server's start, when all hosts come back at once. Milliseconds. */
const usualPatienceMs = 120_000
const dayMs = 24 * 60 * 60_000
/** Of one container, however long it lives: as many as a list shows. */
const keptActions = 1000
/** Of what another server finished, or this one before it began: what was busy then is looked at. */
const lookBackMs = 60 * 60_000
/** Enough for an owner to see what went wrong. */
const deliveriesKeptMs = 7 * dayMs

type RetentionDeps = Pick<Deps, 'store' | 'clock' | 'policy' | 'log'>

/** Removes what is older than the operator keeps: changes, records of the audit, deliveries, actions of containers that are gone, and the oldest of those that live. */
export async function keepRetention(
  deps: RetentionDeps,
  signal: AbortSignal,
  patienceMs = usualPatienceMs,
): Promise<void> {
  await deps.store.transaction((tables) => tables.changes.mend())
  let since = deps.clock.now() - lookBackMs
  await sleep(patienceMs, undefined, { signal, ref: false }).catch(() => undefined)
  while (!signal.aborted) {
    const begun = deps.clock.now()
    await removeOld(deps, since, signal)
    // Clocks of servers differ a little, and rounds overlap for that.
    since = begun - everyMs
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

async function removeOld(
  { store, clock, policy, log }: RetentionDeps,
  since: number,
  signal: AbortSignal,
): Promise<void> {
  const before = clock.now() - policy.eventDays * dayMs
  const readBy = policy.eventsReadBy === null ? {} : { readBy: policy.eventsReadBy }
  let removed = 0
  const inSteps = async (step: () => Promise<number>) => {
    for (let found = stepRows; found > 0 && !signal.aborted; ) {
      found = await step()
      removed += found
      if (found > 0) await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
  await inSteps(() => store.changes.prune({ before, keep: policy.eventRows, most: stepRows, ...readBy }))
  const auditBefore = clock.now() - policy.auditDays * dayMs
  await inSteps(() => store.audit.prune({ before: auditBefore, keep: policy.auditRows, most: stepRows }))
  await inSteps(() => store.actions.pruneGone(clock.now() - policy.actionDays * dayMs, stepRows))
  await inSteps(() => store.actions.pruneLong(since, keptActions, stepRows))
  await store.webhooks.pruneDeliveries(clock.now() - deliveriesKeptMs)
  if (removed > 0) log.info({ removed }, 'old events, actions and records of the audit removed')
}
