import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../locks.ts'

/** What was called, by whom, and what was answered. Read newest first, of the cloud or of one project. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const key = isPostgres(db) ? 'number bigserial primary key' : 'number integer primary key autoincrement'
  await sql`
    create table audit_records (
      ${sql.raw(key)}, at bigint not null, project_id text, user_id text not null, user_name text,
      action text not null, outcome text not null, record text not null
    )
  `.execute(db)
  await sql`create index audit_records_by_time on audit_records (at, number)`.execute(db)
  await sql`create index audit_records_by_project on audit_records (project_id, at, number)`.execute(db)
}
