import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../locks.ts'

/**
 * Which transaction wrote a host's row, or what is promised there, last: whoever has looked at all hosts reads only what has changed since.
 * SQLite's few hosts are read whole.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (!isPostgres(db)) return
  await sql`create function touch() returns trigger language plpgsql as
    $touch$ begin new.touched = pg_current_xact_id()::text::bigint; return new; end $touch$`.execute(db)
  for (const name of ['hosts', 'host_usage']) {
    const table = sql.table(name)
    await sql`alter table ${table} add column touched bigint not null default 0`.execute(db)
    await sql`create trigger touch before insert or update on ${table} for each row execute function touch()`.execute(
      db,
    )
  }
}
