import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../locks.ts'

/** What numbers rows in the order of creation where several servers write; SQLite, with its one writer, counts by itself. */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (isPostgres(db)) await sql`create sequence row_order cache 1`.execute(db)
}
