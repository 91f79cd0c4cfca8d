import { type RawBuilder, sql } from 'kysely'

/** The next number of a table's `seq` column; callers are inside a transaction or on a one-writer store. */
export function nextSeq(table: 'containers' | 'actions' | 'action_events'): RawBuilder<number> {
  return sql<number>`(select coalesce(max(seq), 0) + 1 from ${sql.table(table)})`
}
