import type { Store } from '@gantry/control'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { inject, test } from 'vitest'
import type { Database } from '../database.ts'
import { migrate } from '../migrations/index.ts'
import { openPostgres } from '../postgres/open.ts'
import { sqliteDriver } from '../sqlite/driver.ts'
import { createStore } from '../store.ts'
import { newDatabase } from './postgres-server.ts'

export interface OpenStore extends AsyncDisposable {
  readonly db: Kysely<Database>
  readonly store: Store
  /** How SQLite answers the last statement that `work` makes: one line a step. */
  planOf(work: () => Promise<unknown>): Promise<string[]>
}

const postgres = inject('postgres')

/** A test that looks into SQLite itself, and is none in the project `postgres`. */
export function onSqlite(name: string, work: () => Promise<void>): void {
  if (postgres === undefined) test(name, work)
}

/** An empty store: a SQLite in memory or, in the project `postgres` of the tests, a database of a PostgreSQL. */
export async function openStore(): Promise<OpenStore> {
  return postgres === undefined ? openInMemory() : openOnPostgres(postgres)
}

async function openInMemory(): Promise<OpenStore> {
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

async function openOnPostgres(url: string): Promise<OpenStore> {
  const db = await openPostgres(await newDatabase(url))
  return {
    db,
    store: createStore(db),
    planOf: () => Promise.reject(new Error('Plans are looked at on SQLite.')),
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}
