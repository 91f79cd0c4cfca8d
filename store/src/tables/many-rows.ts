import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Cell } from '../columns.ts'
import type { Database } from '../database.ts'
import { isPostgres } from '../locks.ts'
import type { NumberedTable } from './next-seq.ts'

type Row = Readonly<Record<string, Cell>>

/**
 * Adds rows, all with the same columns, in one statement and in their order. They travel as one JSON text: whatever their number, the
 * statement is the same and the database's plan of it is kept, and no limit of parameters is met.
 */
export async function insertRows(db: Kysely<Database>, table: keyof Database, rows: readonly Row[]): Promise<void> {
  const columns = columnsOf(rows)
  if (columns.length === 0) return
  await sql`
    insert into ${sql.table(table)} (${names(columns)})
    select ${names(columns)} from ${givenRows(db, table, columns, rows)} as given
  `.execute(db)
}

/** Likewise, and numbers them. Inside a transaction. */
export async function insertNumbered(db: Kysely<Database>, table: NumberedTable, rows: readonly Row[]): Promise<void> {
  const columns = columnsOf(rows)
  if (columns.length === 0) return
  const into = sql.table(table)
  const seq = isPostgres(db)
    ? sql`nextval('row_order')`
    : sql`(select coalesce(max(seq), 0) from ${into}) + 1 + given_at`
  await sql`
    insert into ${into} (${names(columns)}, seq)
    select ${names(columns)}, ${seq} from ${givenRows(db, table, columns, rows)} as given
  `.execute(db)
}

/**
 * Rows as a table expression with these columns of `table`, and `given_at`, which counts them from 0 (SQLite). Its types are those of the table.
 */
export function givenRows(
  db: Kysely<Database>,
  table: keyof Database,
  columns: readonly string[],
  rows: readonly Row[],
): RawBuilder<unknown> {
  const text = wellFormedJson(rows)
  if (isPostgres(db)) {
    return sql`(select ${names(columns)} from json_populate_recordset(null::${sql.table(table)}, ${text}::json))`
  }
  const read = columns.map((column) => sql`value ->> ${sql.lit(`$.${column}`)} as ${sql.ref(column)}`)
  return sql`(select ${sql.join(read)}, key as given_at from json_each(${text}))`
}

/** Half a surrogate pair, which JSON escapes and no database takes, becomes the replacement character. Looking for it costs less than the cure. */
function wellFormedJson(rows: readonly Row[]): string {
  const text = JSON.stringify(rows)
  if (!text.includes('\\ud')) return text
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value))
}

function columnsOf(rows: readonly Row[]): string[] {
  return Object.keys(rows[0] ?? {})
}

function names(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((column) => sql.ref(column)))
}
