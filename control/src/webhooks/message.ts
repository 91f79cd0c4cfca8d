import { createHmac } from 'node:crypto'
import { forOwner } from '../events/change-of.ts'
import type { RecordedChange } from '../ports/change-table.ts'

export interface WebhookMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const prefix = 'whsec_'

/** `hex`: random. As the Standard Webhooks specification 1.0.0 writes secrets. */
export function secretOf(hex: string): string {
  return `${prefix}${Buffer.from(hex, 'hex').toString('base64')}`
}

/** The message of a change, whose id is the same however often it is sent; signed for the moment of sending. */
export function messageOf(
  change: Omit<RecordedChange, 'cursor'>,
  { secret, now }: { readonly secret: string; readonly now: number },
): WebhookMessage {
  const { number, type, at, projectId, userId, requestId, objectId, data } = forOwner(change)
  const id = `evt_${number}`
  const timestamp = new Date(at).toISOString()
  const body = JSON.stringify({ type, timestamp, id, projectId, userId, requestId, objectId, data })
  const seconds = String(Math.floor(now / 1000))
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'gantry-webhook/1',
      'webhook-id': id,
      'webhook-timestamp': seconds,
      'webhook-signature': `v1,${signatureOf(secret, `${id}.${seconds}.${body}`)}`,
    },
  }
}

function signatureOf(secret: string, content: string): string {
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  return createHmac('sha256', key).update(content).digest('base64')
}
