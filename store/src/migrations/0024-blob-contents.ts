import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../locks.ts'

/** Contents of images, where several servers share a PostgreSQL; one server alone keeps them in files. */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (!isPostgres(db)) return
  await sql`create table blob_chunks (
    content text not null, position bigint not null, bytes bytea not null, primary key (content, position))`.execute(db)
  // They are packed already.
  await sql`alter table blob_chunks alter column bytes set storage external`.execute(db)
  await sql`create table blob_files (
    digest text primary key, content text not null, size bigint not null, changed_at bigint not null)`.execute(db)
  await sql`create table blob_uploads (
    id text primary key, content text, received bigint not null, done text, changed_at bigint not null)`.execute(db)
  await sql`create table blob_dropped (content text primary key, dropped_at bigint not null)`.execute(db)
}
