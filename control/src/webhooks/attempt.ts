import { reasonOf } from '@gantry/kernel'
import type { Deps } from '../deps.ts'
import type { Delivery, RecordedChange, Webhook } from '../ports/change-table.ts'
import { messageOf } from './message.ts'

export interface Attempt {
  readonly delivery: Delivery
  readonly retryAfterMs: number | null
}

/** Longer answers tell their owner nothing more. */
const longestProblem = 300

/** Tells the receiver once. Never throws: how it went is in the delivery. */
export async function attempt(
  { clock, secrets, webhookSender }: Pick<Deps, 'clock' | 'secrets' | 'webhookSender'>,
  { id, url, sealedSecret }: Webhook,
  change: Omit<RecordedChange, 'cursor'>,
  count: number,
  signal: AbortSignal,
): Promise<Attempt> {
  const at = clock.now()
  const outcome = async () => {
    try {
      const message = messageOf(change, { secret: secrets.open(sealedSecret), now: at })
      const { status, retryAfterMs } = await webhookSender.send(url, message, signal)
      const problem = status >= 200 && status < 300 ? null : `it answered ${status}`
      return { status, retryAfterMs, problem }
    } catch (error) {
      const reason = signal.aborted ? 'it did not answer in time' : reasonOf(error)
      return { status: null, retryAfterMs: null, problem: reason.slice(0, longestProblem) }
    }
  }
  const { retryAfterMs, ...result } = await outcome()
  const { number, type } = change
  const delivery = { webhookId: id, number, type, at, attempt: count, milliseconds: clock.now() - at, ...result }
  return { delivery, retryAfterMs }
}
