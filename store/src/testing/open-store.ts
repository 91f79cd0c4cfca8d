import type { Store } from '@gantry/control'
import type { Kysely } from 'kysely'
import type { Database } from '../database.ts'
import { openSqlite } from '../sqlite/open.ts'
import { createStore } from '../store.ts'

export interface OpenStore extends AsyncDisposable {
  readonly db: Kysely<Database>
  readonly store: Store
}

/** A store on a SQLite of its own, in memory. */
export async function openStore(): Promise<OpenStore> {
  const db = await openSqlite(':memory:')
  return { db, store: createStore(db), [Symbol.asyncDispose]: () => db.destroy() }
}

/** How SQLite would answer a query: one line a step. */
export async function planOf(
  db: Kysely<Database>,
  query: { compile(): { sql: string; parameters: readonly unknown[] } },
) {
  const { sql, parameters } = query.compile()
  const steps = await db.executeQuery<{ detail: string }>({
    sql: `explain query plan ${sql}`,
    parameters,
    query: { kind: 'RawNode', sqlFragments: [], parameters: [] },
    queryId: { queryId: 'plan' },
  })
  return steps.rows.map(({ detail }) => detail)
}
