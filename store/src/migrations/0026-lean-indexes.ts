import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../locks.ts'

/**
 * Every new container and every placement writes into each index of its table. Since sums are kept (0022-usage) those that were made to
 * answer them are wider than what is still asked of them, or not asked at all.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index containers_by_host on containers (host_id) where host_id is not null`.execute(db)
  await sql`drop index containers_usage_of_host`.execute(db)
  await sql`drop index containers_usage_of_project`.execute(db)
  await sql`drop index containers_by_manifest`.execute(db)
  await sql`create index containers_by_manifest on containers (image_manifest) where image_manifest is not null`.execute(
    db,
  )
  if (isPostgres(db)) await leanInPostgres(db)
  // PostgreSQL sorts what little a project has, or reads containers_by_name; SQLite sorts a million rows for a page by name.
  else {
    await sql`create index containers_by_name_in_project on containers (project_id, name, seq)
      where capsule_id is null`.execute(db)
  }
}

async function leanInPostgres(db: Kysely<unknown>): Promise<void> {
  // They are there for SQLite, which looks for the highest number; here a sequence counts (0017-order).
  await sql`drop index actions_by_seq`.execute(db)
  await sql`drop index action_events_by_seq`.execute(db)
  // A row grows by half when its host reports: with room on its page, that writes into no index at all.
  await sql`alter table containers set (fillfactor = 50)`.execute(db)
}
