import type { Kysely } from 'kysely'
import { createTable, type TableSketch } from './create-table.ts'

const owned = { id: 'text', seq: 'bigint', project_id: 'text', name: 'text' } as const

const tables: readonly TableSketch[] = [
  {
    name: 'volumes',
    columns: {
      ...owned,
      user_id: 'text',
      size: 'bigint',
      status: 'text',
      status_reason: 'text?',
      host_id: 'text?',
      container_id: 'text?',
      snapshot_id: 'text?',
      ephemeral: 'bigint',
      created_at: 'bigint',
    },
    key: ['id'],
    // The sums behind quota are answered from the second one alone.
    indexes: [['seq'], ['project_id', 'size'], ['project_id', 'seq'], ['host_id'], ['container_id']],
  },
  {
    name: 'snapshots',
    columns: {
      ...owned,
      volume_id: 'text',
      size: 'bigint',
      status: 'text',
      status_reason: 'text?',
      host_id: 'text',
      created_at: 'bigint',
    },
    key: ['id'],
    indexes: [['seq'], ['project_id', 'seq'], ['host_id'], ['volume_id']],
  },
  {
    name: 'capsules',
    columns: {
      ...owned,
      user_id: 'text',
      labels: 'text',
      annotations: 'text',
      restart_policy: 'text',
      host_id: 'text?',
      gone: 'bigint',
      created_at: 'bigint',
      updated_at: 'bigint',
    },
    key: ['id'],
    indexes: [['seq'], ['project_id', 'seq'], ['name', 'project_id'], ['host_id']],
  },
  {
    name: 'registries',
    columns: {
      ...owned,
      user_id: 'text',
      domain: 'text',
      username: 'text?',
      sealed_password: 'text?',
      created_at: 'bigint',
      updated_at: 'bigint',
    },
    key: ['id'],
    indexes: [['seq'], ['project_id', 'seq'], ['name', 'project_id']],
  },
  {
    name: 'console_sessions',
    columns: {
      token_hash: 'text',
      container_id: 'text',
      project_id: 'text',
      user_id: 'text',
      exec_id: 'text?',
      expires_at: 'bigint',
    },
    key: ['token_hash'],
    indexes: [['expires_at']],
  },
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of tables) await createTable(db, table)
}
