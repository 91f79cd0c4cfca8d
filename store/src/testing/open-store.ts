import type { Store } from '@gantry/control'
import { Kysely, SqliteDialect, sql } from 'kysely'
import type { Database } from '../database.ts'
import { migrate } from '../migrations/index.ts'
import { sqliteDriver } from '../sqlite/driver.ts'
import { createStore } from '../store.ts'

export interface OpenStore extends AsyncDisposable {
  readonly db: Kysely<Database>
  readonly store: Store
  /** How SQLite answers the last statement that `work` makes: one line a step. */
  planOf(work: () => Promise<unknown>): Promise<string[]>
}

/** A store on a SQLite of its own, in memory. */
export async function openStore(): Promise<OpenStore> {
  const driver = sqliteDriver(':memory:')
  let last = ''
  const database = {
    prepare(statement: string) {
      last = statement
      return driver.prepare(statement)
    },
    close: () => driver.close(),
  }
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database }) })
  await migrate(db)
  return {
    db,
    store: createStore(db),
    async planOf(work) {
      await work()
      const steps = await sql<{ detail: string }>`explain query plan ${sql.raw(last)}`.execute(db)
      return steps.rows.map(({ detail }) => detail)
    },
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}
