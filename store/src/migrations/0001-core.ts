import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('containers')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('seq', 'bigint', (column) => column.notNull().unique())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('image', 'text', (column) => column.notNull())
    .addColumn('image_ref', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('status_reason', 'text')
    .addColumn('task', 'text')
    .addColumn('cpu', 'double precision', (column) => column.notNull())
    .addColumn('memory', 'bigint', (column) => column.notNull())
    .addColumn('disk', 'bigint', (column) => column.notNull())
    .addColumn('auto_remove', 'integer', (column) => column.notNull())
    .addColumn('host_id', 'text')
    .addColumn('host_name', 'text')
    .addColumn('placement_failure', 'text')
    .addColumn('seen_generation', 'bigint', (column) => column.notNull())
    .addColumn('host_lost', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('wish', 'text', (column) => column.notNull())
    .addColumn('observed', 'text', (column) => column.notNull())
    .execute()
  // The sums behind quota and placement are answered from these two alone.
  await db.schema
    .createIndex('containers_usage_of_project')
    .on('containers')
    .columns(['project_id', 'cpu', 'memory', 'disk'])
    .execute()
  await db.schema
    .createIndex('containers_usage_of_host')
    .on('containers')
    .columns(['host_id', 'cpu', 'memory', 'disk'])
    .execute()
  await db.schema.createIndex('containers_by_project').on('containers').columns(['project_id', 'seq']).execute()
  await db.schema.createIndex('containers_by_name').on('containers').columns(['name', 'project_id']).execute()

  await db.schema
    .createTable('actions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('container_id', 'text', (column) => column.notNull())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('wish_version', 'bigint')
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('error', 'text')
    .execute()
  await db.schema.createIndex('actions_by_container').on('actions').columns(['container_id', 'seq']).execute()
  await db.schema
    .createIndex('actions_unfinished')
    .on('actions')
    .columns(['container_id', 'wish_version'])
    .where('finished_at' as never, 'is', null)
    .execute()

  await db.schema
    .createTable('action_events')
    .addColumn('action_id', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('result', 'text')
    .addColumn('detail', 'text')
    .execute()
  await db.schema.createIndex('action_events_by_action').on('action_events').columns(['action_id', 'seq']).execute()

  await db.schema
    .createTable('hosts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('availability_zone', 'text', (column) => column.notNull())
    .addColumn('facts', 'text', (column) => column.notNull())
    .addColumn('disabled', 'integer', (column) => column.notNull())
    .addColumn('disabled_reason', 'text')
    .addColumn('forced_down', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('report_count', 'bigint', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('join_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('secret_hash', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('images')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project_id', 'text')
    .addColumn('host_id', 'text', (column) => column.notNull())
    .addColumn('repo', 'text', (column) => column.notNull())
    .addColumn('tag', 'text', (column) => column.notNull())
    .addColumn('engine_ref', 'text', (column) => column.notNull())
    .addColumn('image_id', 'text')
    .addColumn('size', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('images_by_name').on('images').columns(['repo', 'tag']).execute()

  for (const [table, owner] of [
    ['project_quotas', 'project_id'],
    ['class_quotas', 'name'],
  ] as const) {
    await db.schema
      .createTable(table)
      .addColumn(owner, 'text', (column) => column.notNull())
      .addColumn('resource', 'text', (column) => column.notNull())
      .addColumn('value', 'double precision', (column) => column.notNull())
      .addPrimaryKeyConstraint(`${table}_pk`, [owner, 'resource'] as never)
      .execute()
  }

  await db.schema
    .createTable('settings')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
}
