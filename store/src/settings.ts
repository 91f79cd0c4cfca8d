import type { Kysely } from 'kysely'
import type { Database } from './database.ts'

/** The value kept under `key`; made by `create` and kept, atomically, the first time it is asked for. */
export async function settingOr(db: Kysely<Database>, key: string, create: () => string): Promise<string> {
  await db
    .insertInto('settings')
    .values({ key, value: create() })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
  const row = await db.selectFrom('settings').selectAll().where('key', '=', key).executeTakeFirstOrThrow()
  return row.value
}
