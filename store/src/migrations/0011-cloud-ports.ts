import type { Kysely } from 'kysely'
import { createTable } from './create-table.ts'

/** What was made at a Neutron for containers. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'cloud_ports',
    columns: {
      id: 'text',
      kind: 'text',
      container_id: 'text?',
      project_id: 'text',
      network_id: 'text?',
      given: 'bigint',
      host_id: 'text?',
      bound_to: 'text?',
      leaving: 'bigint',
      created_at: 'bigint',
    },
    key: ['id'],
    indexes: [['container_id'], ['leaving'], ['host_id'], ['project_id', 'network_id']],
  })
}
