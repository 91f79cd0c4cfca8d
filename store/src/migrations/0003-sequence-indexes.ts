import type { Kysely } from 'kysely'

/** Actions and their events are kept for ever; without these, finding the next number reads all of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['actions', 'action_events']) {
    await db.schema.createIndex(`${table}_by_seq`).on(table).column('seq').execute()
  }
}
