import { type Kysely, sql } from 'kysely'

/** Key in `settings`: the newest migration that a program must know to use this schema. */
const setting = 'oldest migration in use'

/**
 * Called by a migration that takes away what programs before migration `name` still need: from now on they refuse to start. One
 * release must lie between that migration and this one, so that servers can be upgraded one by one.
 */
export async function shutOutBefore<T>(db: Kysely<T>, name: string): Promise<void> {
  await sql`insert into settings (key, value) values (${setting}, ${name})
    on conflict (key) do update set value = excluded.value where settings.value < excluded.value`.execute(db)
}

/** Names of the migrations that this program does not know: a newer one was here. */
export async function newerThan<T>(db: Kysely<T>, known: ReadonlySet<string>): Promise<string[]> {
  if (!(await hasTables(db))) return []
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return rows.map(({ name }) => name).filter((name) => !known.has(name))
}

/** Throws if a newer program has taken away what this one needs. */
export async function requireNotShutOut<T>(db: Kysely<T>, known: ReadonlySet<string>): Promise<void> {
  const { rows } = await sql<{ value: string }>`select value from settings where key = ${setting}`.execute(db)
  const needed = rows[0]?.value
  if (needed === undefined || known.has(needed)) return
  throw new Error(
    `A newer Gantry has changed this database so that this version cannot use it any more (it needs migration ${needed}). Start the newer version here.`,
  )
}

async function hasTables<T>(db: Kysely<T>): Promise<boolean> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  const names = new Set(tables.map(({ name }) => name))
  return names.has('kysely_migration') && names.has('settings')
}
