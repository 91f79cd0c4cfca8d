import { type Kysely, sql } from 'kysely'

/** Lists are by age unless something else is asked for; without these a page of a million containers sorts them all. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index containers_by_age on containers (created_at, seq) where capsule_id is null`.execute(db)
  await sql`create index containers_by_age_in_project on containers (project_id, created_at, seq)
    where capsule_id is null`.execute(db)
  // Of those that are in none it is no help, and SQLite would choose it for them.
  await sql`drop index containers_by_capsule`.execute(db)
  await sql`create index containers_by_capsule on containers (capsule_id) where capsule_id is not null`.execute(db)
}
