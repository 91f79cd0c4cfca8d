import type { Kysely } from 'kysely'
import { createTable } from './create-table.ts'

const added = [
  { column: 'backend', type: 'text' },
  { column: 'source_volume_id', type: 'text' },
  { column: 'backup_id', type: 'text' },
  { column: 'volume_type', type: 'text' },
  { column: 'multiattach', type: 'bigint' },
] as const

/** What a volume was made from and what keeps it, and copies of volumes that are kept away from them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const { column, type } of added) await db.schema.alterTable('volumes').addColumn(column, type).execute()
  await createTable(db, {
    name: 'backups',
    columns: {
      id: 'text',
      seq: 'bigint',
      project_id: 'text',
      name: 'text',
      volume_id: 'text',
      size: 'bigint',
      status: 'text',
      status_reason: 'text?',
      sha256: 'text?',
      created_at: 'bigint',
    },
    key: ['id'],
    // Quota is answered from the second one alone.
    indexes: [['seq'], ['project_id', 'size'], ['project_id', 'seq'], ['volume_id']],
  })
}
