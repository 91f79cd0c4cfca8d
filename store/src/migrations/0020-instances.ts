import type { Kysely } from 'kysely'
import { createTable } from './create-table.ts'

/** Machines that were made to be hosts, each known to the store before it is made. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'instances',
    columns: {
      id: 'text',
      seq: 'bigint',
      name: 'text',
      state: 'text',
      project_id: 'text?',
      provider_id: 'text?',
      token_id: 'text?',
      reason: 'text?',
      refused: 'bigint',
      created_at: 'bigint',
      since: 'bigint',
      idle_since: 'bigint?',
    },
    key: ['id'],
    indexes: [['token_id'], ['seq']],
  })
}
