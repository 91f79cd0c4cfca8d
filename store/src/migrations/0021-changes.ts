import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../locks.ts'
import { createTable } from './create-table.ts'

/** What changed, in an order that readers can trust, how far they have read, and who wants to be told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(db)
  // A number that is given when the row is written says nothing of when it can be seen: on PostgreSQL the order is that of the
  // writing transactions, and only those are read that no unfinished one can precede.
  const columns = postgres
    ? 'xid bigint not null default (pg_current_xact_id()::text::bigint), number bigserial not null'
    : 'xid integer not null default 0, number integer primary key autoincrement'
  await sql`
    create table changes (
      ${sql.raw(columns)}, at bigint not null, project_id text, user_id text, request_id text,
      type text not null, object_id text not null, data text not null
    )
  `.execute(db)
  if (postgres) await sql`create unique index changes_key on changes (xid, number)`.execute(db)
  await sql`create index changes_by_project on changes (project_id, ${sql.raw(postgres ? 'xid, number' : 'number')})`.execute(
    db,
  )
  // Of the many actions only those that have been over for long are looked at.
  await sql`create index actions_by_finished_at on actions (finished_at)`.execute(db)
  await createTable(db, { name: 'change_marks', columns: { name: 'text', cursor: 'text' }, key: ['name'] })
  await createTable(db, {
    name: 'webhooks',
    columns: {
      id: 'text',
      seq: 'bigint',
      project_id: 'text',
      user_id: 'text',
      name: 'text',
      url: 'text',
      sealed_secret: 'text',
      types: 'text',
      enabled: 'bigint',
      disabled_reason: 'text?',
      cursor: 'text',
      failures: 'bigint',
      failing_since: 'bigint?',
      next_at: 'bigint',
      created_at: 'bigint',
      updated_at: 'bigint',
    },
    key: ['id'],
    indexes: [['project_id', 'seq'], ['seq']],
  })
  await createTable(db, {
    name: 'webhook_deliveries',
    columns: {
      webhook_id: 'text',
      number: 'bigint',
      type: 'text',
      at: 'bigint',
      attempt: 'bigint',
      status: 'bigint?',
      milliseconds: 'bigint',
      problem: 'text?',
    },
    key: ['webhook_id', 'at', 'number'],
    partOf: { webhook_id: 'webhooks' },
  })
}
