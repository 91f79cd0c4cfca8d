import { type Kysely, sql } from 'kysely'

interface Before {
  containers: { id: string; observed: string }
}

/** Containers get interfaces, mounts, a place in a capsule and a registry. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['nics', 'mounts']) {
    await db.schema
      .alterTable('containers')
      .addColumn(column, 'text', (type) => type.notNull().defaultTo('[]'))
      .execute()
  }
  for (const column of ['capsule_id', 'capsule_role', 'registry_id', 'sealed_registry_auth']) {
    await db.schema.alterTable('containers').addColumn(column, 'text').execute()
  }
  await db.schema.alterTable('containers').addColumn('capsule_position', 'bigint').execute()
  await db.schema.createIndex('containers_by_capsule').on('containers').column('capsule_id').execute()
  // The sums must know a capsule's sandbox to leave it out, and must still need no more than an index.
  for (const owner of ['project', 'host']) {
    const index = `containers_usage_of_${owner}`
    await db.schema.dropIndex(index).execute()
    await db.schema
      .createIndex(index)
      .on('containers')
      .columns([`${owner}_id`, 'cpu', 'memory', 'disk', 'capsule_role'])
      .execute()
  }
  await rewriteObserved(db)
}

/** What engines were seen to hold named addresses; now it names ports. */
async function rewriteObserved(db: Kysely<Before>): Promise<void> {
  const rows = await db
    .selectFrom('containers')
    .select(['id', 'observed'])
    .where(sql<boolean>`observed like '%"addresses"%'`)
    .execute()
  for (const { id, observed } of rows) {
    const { engine, ...rest } = JSON.parse(observed) as { engine: Record<string, unknown> | null }
    if (engine === null) continue
    const { addresses: _, ...kept } = engine
    const now = JSON.stringify({ engine: { ...kept, nics: [] }, ...rest })
    await db.updateTable('containers').set({ observed: now }).where('id', '=', id).execute()
  }
}
