import type { Kysely } from 'kysely'
import { createTable } from './create-table.ts'

/** What is known of volumes that another service keeps, where they are attached, and what has them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'cloud_volumes',
    columns: {
      id: 'text',
      backend: 'text',
      project_id: 'text',
      user_id: 'text',
      size: 'bigint',
      container_id: 'text?',
      ephemeral: 'bigint',
      shared: 'bigint',
      multiattach: 'bigint',
      blank: 'bigint',
      maybe_blank: 'bigint',
      fs_type: 'text',
      labels: 'text?',
      options: 'text?',
      leaving: 'bigint',
      created_at: 'bigint',
    },
    key: ['id'],
    indexes: [['container_id']],
  })
  await createTable(db, {
    name: 'cloud_attachments',
    columns: {
      id: 'text',
      volume_id: 'text',
      owner: 'text',
      service_id: 'text?',
      host_id: 'text?',
      writable: 'bigint',
      sealed_connection: 'text?',
      mounted: 'bigint',
      completed: 'bigint',
      by_service: 'bigint',
      leaving: 'bigint',
      problem: 'text?',
      created_at: 'bigint',
    },
    key: ['id'],
    indexes: [['volume_id'], ['host_id']],
  })
  await createTable(db, {
    name: 'cloud_holders',
    columns: {
      container_id: 'text',
      volume_id: 'text',
      attachment_id: 'text',
      read_only: 'bigint',
      created_at: 'bigint',
    },
    key: ['container_id', 'volume_id'],
    indexes: [['volume_id'], ['attachment_id']],
  })
}
