import type { Kysely } from 'kysely'

const added = [
  ['user_id', 'text'],
  ['digest', 'text'],
  ['fetched', 'bigint'],
] as const

/** Who brought an image, which manifest it is, and whether its public name is ours to take away. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [column, type] of added) await db.schema.alterTable('images').addColumn(column, type).execute()
  await db.schema.createIndex('images_by_ref').on('images').columns(['host_id', 'engine_ref']).execute()
  await db.schema.createIndex('images_by_engine_id').on('images').columns(['host_id', 'image_id']).execute()
}
