import { backoffMs, reasonOf } from '@gantry/kernel'
import type { ProjectId, WebhookId } from '@gantry/model'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from '../deps.ts'
import type { RecordedChange, Webhook } from '../ports/change-table.ts'
import type { Tables } from '../ports/store.ts'
import { attempt } from './attempt.ts'

/** A receiver that is slow takes up its own turn, and not more than this of its project's and of everybody's. */
const atOnce = { all: 64, ofProject: 8 }
const timeoutMs = 10_000
/** How many of a webhook's changes are told in one turn, after which others come first. */
const perTurn = 50
const lookEveryMs = 300
const retry = { baseMs: 5_000, maxMs: 3_600_000 }
/** Failing for longer than this ends a subscription: its owner must say that it is well again. */
const patienceMs = 24 * 60 * 60_000
/** The cursor of one that has nothing to be told is moved so often, lest it seem to lag. */
const idleMoveMs = 60_000
/** The receiver says that it is no more (Standard Webhooks, "Delivery"). */
const goneForGood = 410

type DeliveryDeps = Pick<Deps, 'store' | 'clock' | 'secrets' | 'webhookSender' | 'log' | 'gauges'>

/** Tells receivers what changed, one after the other for each, until the signal is aborted. To be run by one server at a time. */
export async function deliverWebhooks(deps: DeliveryDeps, signal: AbortSignal): Promise<void> {
  const busy = new Map<WebhookId, { readonly project: ProjectId; readonly turn: Promise<void> }>()
  const moved = new Map<WebhookId, number>()
  while (!signal.aborted) {
    const enabled = await deps.store.webhooks.enabled()
    for (const id of moved.keys()) if (!enabled.some((webhook) => webhook.id === id)) moved.delete(id)
    for (const webhook of inTurn(enabled, moved, deps.clock.now())) {
      if (busy.has(webhook.id) || !hasRoom(busy, webhook.projectId)) continue
      const turn = takeTurn(deps, webhook, moved, signal)
        .catch((error: unknown) => deps.log.error({ webhook: webhook.id, reason: reasonOf(error) }, 'webhook failed'))
        .finally(() => busy.delete(webhook.id))
      busy.set(webhook.id, { project: webhook.projectId, turn })
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
  }
  await Promise.all([...busy.values()].map(({ turn }) => turn))
}

/** Those that may be tried now; who had its turn last comes last. */
function inTurn(enabled: readonly Webhook[], moved: ReadonlyMap<WebhookId, number>, now: number): Webhook[] {
  const due = enabled.filter(({ nextAt }) => nextAt <= now)
  return due.sort((a, b) => (moved.get(a.id) ?? 0) - (moved.get(b.id) ?? 0))
}

function hasRoom(busy: ReadonlyMap<WebhookId, { readonly project: ProjectId }>, project: ProjectId): boolean {
  if (busy.size >= atOnce.all) return false
  return [...busy.values()].filter((each) => each.project === project).length < atOnce.ofProject
}

async function takeTurn(
  deps: DeliveryDeps,
  webhook: Webhook,
  moved: Map<WebhookId, number>,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock } = deps
  if (await store.changes.isGone(webhook.cursor)) {
    deps.log.warn({ webhook: webhook.id }, 'events were removed before this webhook was told of them')
  }
  const query = { scope: webhook.projectId, types: webhook.types, limit: perTurn }
  const { changes, next } = await store.changes.after(webhook.cursor, query)
  let { failures, failingSince } = webhook
  for (const change of changes) {
    if (signal.aborted || !(await deliver(deps, { ...webhook, failures, failingSince }, change, signal))) return
    failures = 0
    failingSince = null
  }
  const now = clock.now()
  const isIdle = changes.length === 0
  if (!isIdle || now - (moved.get(webhook.id) ?? 0) > idleMoveMs) {
    moved.set(webhook.id, now)
    if (next !== webhook.cursor) await store.webhooks.update(webhook.id, { cursor: next })
  }
}

/** Whether it was delivered. Only what is written down counts: after a crash in between it is told again, under the same id. */
async function deliver(deps: DeliveryDeps, webhook: Webhook, change: RecordedChange, signal: AbortSignal) {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const { delivery, retryAfterMs } = await attempt(deps, webhook, change, webhook.failures + 1, limit)
  if (signal.aborted && delivery.problem !== null) return false
  const delivered = delivery.problem === null
  deps.gauges.told?.('webhook', delivered)
  await deps.store.transaction(async ({ webhooks }: Tables) => {
    const now = await webhooks.get(webhook.id)
    if (!now) return
    await webhooks.noteDelivery(delivery)
    if (delivered) await webhooks.update(webhook.id, { cursor: change.cursor, failures: 0, failingSince: null })
    // Its owner changed it meanwhile: what failed was the old one.
    else if (now.updatedAt === webhook.updatedAt) {
      await webhooks.update(webhook.id, afterFailure(webhook, delivery, retryAfterMs, deps.clock.now()))
    }
  }, [])
  return delivered
}

function afterFailure(
  { failures, failingSince }: Webhook,
  { status, problem }: { readonly status: number | null; readonly problem: string | null },
  retryAfterMs: number | null,
  now: number,
) {
  const since = failingSince ?? now
  const wait = Math.max(backoffMs(failures, retry), Math.min(retryAfterMs ?? 0, retry.maxMs))
  const failed = { failures: failures + 1, failingSince: since, nextAt: now + wait }
  if (status === goneForGood) return { ...failed, enabled: false, disabledReason: 'the receiver answered 410, Gone' }
  if (now - since < patienceMs) return failed
  return { ...failed, enabled: false, disabledReason: `it failed for a day, at last because ${problem}` }
}
