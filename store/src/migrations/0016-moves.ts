import type { Kysely } from 'kysely'

/** How far a container is on its way to another host, as JSON. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('containers').addColumn('moving', 'text').execute()
}
