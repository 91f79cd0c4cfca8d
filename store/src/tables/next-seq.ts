import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database.ts'
import { isPostgres } from '../locks.ts'

/** Tables whose rows are numbered in the order of creation. */
export type NumberedTable = { [T in keyof Database]: Database[T] extends { seq: number } ? T : never }[keyof Database]

/** The next number of a table's `seq` column; on SQLite, callers are inside a transaction or the only ones to write. */
export function nextSeq(db: Kysely<Database>, table: NumberedTable): RawBuilder<number> {
  return isPostgres(db)
    ? sql<number>`nextval('row_order')`
    : sql<number>`(select coalesce(max(seq), 0) + 1 from ${sql.table(table)})`
}
