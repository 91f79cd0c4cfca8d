import { Kysely, PostgresDialect, sql } from 'kysely'
import type { Database } from '../database.ts'
import { migrate } from '../migrations/index.ts'
import { type PoolOptions, postgresPool } from './pool.ts'

/** Oldest that has all we ask for. */
const oldest = 130_000

/**
 * Connects to a PostgreSQL (13 or later) and brings its schema up to date; any number of servers may do so at once. Rejects with
 * `store.unavailable` if it cannot be reached.
 */
export async function openPostgres(url: string, options: Omit<PoolOptions, 'url'> = {}): Promise<Kysely<Database>> {
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: postgresPool({ ...options, url }) }) })
  try {
    const { rows } = await sql<{
      version: number
    }>`select current_setting('server_version_num')::int as version`.execute(db)
    const version = rows[0]?.version ?? 0
    if (version < oldest) throw new Error(`PostgreSQL 13 or later is needed; this is ${Math.floor(version / 10_000)}.`)
    await migrate(db)
    await sortByBytes(db)
    return db
  } catch (error) {
    await db.destroy()
    throw error
  }
}

/**
 * Text compares byte by byte, as in SQLite, whatever language the database was made for: pages of lists and prefixes of ids stand on
 * it. Only columns that a migration has just made are still otherwise.
 */
async function sortByBytes(db: Kysely<Database>): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(hashtext('gantry sorts by bytes'))`.execute(transaction)
    const { rows } = await sql<{ table: string; column: string }>`
      select c.relname as table, a.attname as column
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_collation l on l.oid = a.attcollation
      where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace and a.attnum > 0 and not a.attisdropped
        and a.atttypid = 'text'::regtype and l.collname <> 'C'
        and c.relname not like 'kysely%'`.execute(transaction)
    const byTable = Map.groupBy(rows, ({ table }) => table)
    for (const [table, columns] of byTable) {
      const changes = columns.map(({ column }) => sql`alter column ${sql.ref(column)} type text collate "C"`)
      await sql`alter table ${sql.table(table)} ${sql.join(changes)}`.execute(transaction)
    }
  })
}
