import type { Generated } from 'kysely'

/** What is promised, kept by triggers (migration 0022); cores in millionths. */
export interface UsageDatabase {
  project_usage: UsageRow & { project_id: string }
  host_usage: UsageRow & Touched & { host_id: string }
}

interface UsageRow {
  containers: number
  cpu: number
  memory: number
  disk: number
}

/** PostgreSQL: the transaction that wrote it last, set by a trigger (migration 0028). */
export interface Touched {
  touched: Generated<number>
}
