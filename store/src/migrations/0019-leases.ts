import type { Kysely } from 'kysely'

/** Seconds without a server after which a container's host stops it by itself; null: it goes on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('containers').addColumn('lease', 'integer').execute()
}
