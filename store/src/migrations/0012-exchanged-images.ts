import type { Kysely } from 'kysely'
import { createTable } from './create-table.ts'

/** Which entries of the catalogue are images of a Glance too. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'exchanged_images',
    columns: {
      id: 'text',
      project_id: 'text',
      origin: 'text',
      state: 'text',
      name: 'text',
      hash: 'text?',
      created_at: 'bigint',
    },
    key: ['id'],
    indexes: [['state']],
  })
}
