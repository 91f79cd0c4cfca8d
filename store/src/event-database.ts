import type { Generated } from 'kysely'

/** What changed, and who is told. */
export interface EventDatabase {
  changes: ChangeRow
  change_marks: ChangeMarkRow
  webhooks: WebhookRow
  webhook_deliveries: WebhookDeliveryRow
  audit_records: AuditRow
}

export interface AuditRow {
  number: Generated<number>
  at: number
  project_id: string | null
  user_id: string
  user_name: string | null
  action: string
  outcome: string
  /** JSON. */
  record: string
}

export interface ChangeRow {
  /** PostgreSQL: the transaction that wrote it. SQLite, with its one writer: 0. */
  xid: Generated<number>
  number: Generated<number>
  at: number
  project_id: string | null
  user_id: string | null
  request_id: string | null
  type: string
  object_id: string
  /** JSON. */
  data: string
}

export interface ChangeMarkRow {
  name: string
  cursor: string
}

export interface WebhookRow {
  id: string
  seq: number
  project_id: string
  user_id: string
  name: string
  url: string
  sealed_secret: string
  /** JSON. */
  types: string
  enabled: number
  disabled_reason: string | null
  cursor: string
  failures: number
  failing_since: number | null
  next_at: number
  created_at: number
  updated_at: number
}

export interface WebhookDeliveryRow {
  webhook_id: string
  /** Of the change. */
  number: number
  type: string
  at: number
  attempt: number
  status: number | null
  milliseconds: number
  problem: string | null
}
