import { Kysely, SqliteDialect } from 'kysely'
import type { Database } from '../database.ts'
import { migrate } from '../migrations/index.ts'
import { sqliteDriver } from './driver.ts'

/** Opens (and creates, and migrates) the database file; `:memory:` for tests. */
export async function openSqlite(path: string): Promise<Kysely<Database>> {
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: sqliteDriver(path) }) })
  try {
    await migrate(db)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return db
}
