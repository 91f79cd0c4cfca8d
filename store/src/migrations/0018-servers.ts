import { type Kysely, sql } from 'kysely'
import { createTable } from './create-table.ts'

/** Servers that share the store, which of them each host hangs on, and what each has begun. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'servers',
    columns: {
      id: 'text',
      name: 'text',
      peer: 'text?',
      agents: 'text?',
      version: 'text',
      started_at: 'bigint',
      seen_at: 'bigint',
    },
    key: ['id'],
  })
  await createTable(db, {
    name: 'host_sessions',
    columns: { host_id: 'text', server_id: 'text?', number: 'bigint', since: 'bigint', lost: 'bigint' },
    key: ['host_id'],
    indexes: [['server_id']],
  })
  await sql`
    insert into host_sessions (host_id, server_id, number, since, lost)
    select id, null, 0, last_seen_at, 0 from hosts
  `.execute(db)
  await createTable(db, {
    name: 'server_duties',
    columns: { kind: 'text', object_id: 'text', server_id: 'text' },
    key: ['kind', 'object_id'],
    indexes: [['server_id']],
  })
}
