import type { Kysely } from 'kysely'
import { createTable } from './create-table.ts'

/** What is known of networks at a Neutron that it does not know itself. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'cloud_networks',
    columns: {
      id: 'text',
      network_id: 'text?',
      project_id: 'text',
      usual: 'bigint',
      labels: 'text?',
      created_at: 'bigint',
    },
    key: ['id'],
    indexes: [['project_id'], ['network_id']],
  })
}
