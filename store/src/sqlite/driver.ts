import { createHash } from 'node:crypto'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Fault } from '@gantry/kernel'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

/** node:sqlite in the shape that Kysely's SQLite dialect asks for, with a cache of prepared statements. */
export function sqliteDriver(path: string): SqliteDatabase {
  const db = new DatabaseSync(path)
  // NORMAL with WAL survives the death of the process at any point; only a power cut can lose the last commits.
  db.exec(
    'pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on; pragma busy_timeout = 5000',
  )
  // PostgreSQL has one.
  db.function('sha256_hex', { deterministic: true }, (text) => createHash('sha256').update(String(text)).digest('hex'))
  const cache = new Map<string, SqliteStatement>()
  return {
    prepare(sql) {
      if (sql === 'rollback' && !db.isTransaction) return nothing
      const known = cache.get(sql)
      if (known) return known
      if (cache.size >= maxCachedStatements) cache.clear()
      const statement = wrap(db.prepare(sql))
      cache.set(sql, statement)
      return statement
    },
    close() {
      cache.clear()
      db.close()
    },
  }
}

const maxCachedStatements = 500

/** After some errors (a full disk) SQLite has rolled back by itself, and a second rollback would hide the reason. */
const nothing: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
}

function wrap(statement: StatementSync): SqliteStatement {
  const values = (parameters: ReadonlyArray<unknown>) => parameters as SQLInputValue[]
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => explained(() => statement.all(...values(parameters))),
    run: (parameters) => explained(() => statement.run(...values(parameters))),
    iterate: (parameters) => statement.iterate(...values(parameters)) as IterableIterator<unknown>,
  }
}

/** SQLITE_FULL, from SQLite's list of result codes. */
const full = 13

/** A full disk is the operator's to mend and must not look like a defect. */
function explained<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if ((error as { errcode?: number }).errcode === full) throw new Fault('store.full', {}, error)
    throw error
  }
}
