import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../locks.ts'

/** What a placement stands on. A sign of life changes nothing of it. */
const weighed = ['name', 'availability_zone', 'facts', 'disabled', 'disabled_reason', 'forced_down']

/**
 * Which transaction wrote a host's row, or what is promised there, last: whoever has looked at all hosts reads only what has changed since.
 * SQLite's few hosts are read whole.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (!isPostgres(db)) return
  for (const table of ['hosts', 'host_usage']) {
    await sql`alter table ${sql.table(table)} add column touched bigint not null default 0`.execute(db)
  }
  // Looked at in the function, not by the trigger: columns of a trigger could not be told any more how to sort.
  const columns = (row: 'new' | 'old') => sql.raw(weighed.map((column) => `${row}.${column}`).join(', '))
  const isTouched = sql`tg_table_name <> 'hosts' or tg_op = 'INSERT'`
  await sql`create function touch() returns trigger language plpgsql as $touch$ begin
    if ${isTouched} then new.touched = pg_current_xact_id()::text::bigint;
    elsif (${columns('new')}) is distinct from (${columns('old')}) then new.touched = pg_current_xact_id()::text::bigint;
    end if;
    return new;
  end $touch$`.execute(db)
  for (const table of ['hosts', 'host_usage']) {
    await sql`create trigger touch before insert or update on ${sql.table(table)} for each row execute function touch()`.execute(
      db,
    )
  }
}
