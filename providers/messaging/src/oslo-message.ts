import { createHash } from 'node:crypto'

export type Priority = 'INFO' | 'ERROR'

export interface Notification {
  /** What makes it this notification and no other; sent again, it has the same. */
  readonly key: string
  readonly eventType: string
  readonly publisher: string
  readonly priority: Priority
  /** Epoch milliseconds. */
  readonly at: number
  readonly payload: Readonly<Record<string, unknown>>
  readonly context: { readonly user: string | null; readonly project: string | null; readonly request: string | null }
}

/**
 * The body as oslo.messaging's notifier writes it (`oslo_messaging/_drivers/common.py`, envelope 2.0): a JSON text within JSON. The ids
 * are functions of the key, so that a consumer that remembers them hears everything once.
 */
export function osloMessage(notification: Notification): { readonly id: string; readonly body: Buffer } {
  const { key, eventType, publisher, priority, at, payload, context } = notification
  const id = uuidOf(key)
  const message = {
    message_id: id,
    _unique_id: id.replaceAll('-', ''),
    publisher_id: publisher,
    event_type: eventType,
    priority,
    timestamp: osloTime(at, 6),
    payload,
    _context_user_id: context.user,
    _context_project_id: context.project,
    _context_request_id: context.request,
    _context_tenant: context.project,
    _context_user: context.user,
  }
  const envelope = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }
  return { id, body: Buffer.from(JSON.stringify(envelope)) }
}

/** As Python prints a `datetime` in UTC: no letters. */
export function osloTime(at: number, fractionDigits = 0): string {
  const [seconds, milliseconds = '000'] = new Date(at).toISOString().replace('T', ' ').replace('Z', '').split('.')
  return fractionDigits === 0 ? `${seconds}` : `${seconds}.${milliseconds.padEnd(fractionDigits, '0')}`
}

/** In the form of version 8 (RFC 9562, 5.8): of our own making. */
function uuidOf(key: string): string {
  const hex = createHash('sha256').update(key).digest('hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
