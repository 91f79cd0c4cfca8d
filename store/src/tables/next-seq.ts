import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../database.ts'

/** Tables whose rows are numbered in the order of creation. */
export type NumberedTable = { [T in keyof Database]: Database[T] extends { seq: number } ? T : never }[keyof Database]

/** The next number of a table's `seq` column; callers are inside a transaction or on a one-writer store. */
export function nextSeq(table: NumberedTable): RawBuilder<number> {
  return sql<number>`(select coalesce(max(seq), 0) + 1 from ${sql.table(table)})`
}
