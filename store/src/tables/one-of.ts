import { type Kysely, type RawBuilder, sql } from 'kysely'
import { isPostgres } from '../locks.ts'

/** Whether a column is one of these. They travel as one parameter: whatever their number, the statement is the same and stays prepared. */
export function isOneOf<D>(db: Kysely<D>, column: string, values: readonly string[]): RawBuilder<boolean> {
  const of = sql.ref(column)
  if (isPostgres(db)) return sql<boolean>`${of} = any(${[...values]}::text[])`
  return sql<boolean>`${of} in (select value from json_each(${JSON.stringify(values)}))`
}
