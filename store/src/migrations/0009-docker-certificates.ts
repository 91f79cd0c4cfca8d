import type { Kysely } from 'kysely'
import { createTable } from './create-table.ts'

/** Client certificates of users, each with the application credential that stands behind it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'docker_certificates',
    columns: {
      serial: 'text',
      user_id: 'text',
      project_id: 'text',
      name: 'text',
      app_credential_id: 'text',
      sealed_secret: 'text',
      created_at: 'bigint',
      expires_at: 'bigint',
    },
    key: ['serial'],
    indexes: [['user_id', 'project_id'], ['expires_at']],
  })
}
