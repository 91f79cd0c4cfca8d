import type { Kysely } from 'kysely'
import { createTable } from './create-table.ts'

const added = [
  { table: 'networks', column: 'usual', type: 'bigint' },
  { table: 'networks', column: 'labels', type: 'text' },
  { table: 'floating_ips', column: 'published', type: 'bigint' },
  { table: 'volumes', column: 'shared', type: 'bigint' },
  { table: 'volumes', column: 'labels', type: 'text' },
  { table: 'volumes', column: 'options', type: 'text' },
] as const

/** What Docker clients say of networks and volumes, and which containers share a volume. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const { table, column, type } of added) await db.schema.alterTable(table).addColumn(column, type).execute()
  await createTable(db, {
    name: 'volume_holders',
    columns: { volume_id: 'text', container_id: 'text' },
    key: ['volume_id', 'container_id'],
    indexes: [['container_id']],
  })
}
