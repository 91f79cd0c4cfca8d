import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lock } from '@gantry/control'
import { limiter } from '@gantry/kernel'
import { type Kysely, PostgresAdapter, sql, type Transaction } from 'kysely'
import { LockTable } from './lock-table.ts'
import { isPassing, mostConnections } from './postgres/pool.ts'

export function isPostgres<D>(db: Kysely<D>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}

/** Held by all transactions: alone by those that name no locks, together by the others. */
const everything = keyOf('everything')
const mostAttempts = 6
const mostTransactions = mostConnections - 3

/**
 * A transaction that excludes others as `Store.transaction` says. SQLite has one writer anyway; on PostgreSQL the locks are taken
 * first, so that every statement after them sees what was committed before (READ COMMITTED). One that fell to a deadlock is done again.
 */
export async function lockedTransaction<D, T>(
  db: Kysely<D>,
  locks: readonly Lock[],
  work: (transaction: Transaction<D>) => Promise<T>,
): Promise<T> {
  if (!isPostgres(db)) return db.transaction().execute(work)
  const { table, limited } = localOf(db)
  const giveBack = await table.take(locks)
  try {
    return await limited(() => lockedOnServer(db, locks, work))
  } finally {
    giveBack()
  }
}

/**
 * Transactions of this process wait here for each other, not in the database: each that waits there holds a connection, and reads
 * would find none. The rest of the pool is theirs.
 */
function localOf<D>(db: Kysely<D>): Local {
  const known = locals.get(db)
  if (known) return known
  const made = { table: new LockTable(), limited: limiter(mostTransactions) }
  locals.set(db, made)
  return made
}

interface Local {
  readonly table: LockTable
  readonly limited: ReturnType<typeof limiter>
}

const locals = new WeakMap<object, Local>()

async function lockedOnServer<D, T>(
  db: Kysely<D>,
  locks: readonly Lock[],
  work: (transaction: Transaction<D>) => Promise<T>,
): Promise<T> {
  const keys = [...new Set(locks.map(keyOf))].sort((a, b) => (a < b ? -1 : 1))
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(async (transaction) => {
        await take(transaction, keys)
        return work(transaction)
      })
    } catch (error) {
      if (attempt >= mostAttempts || !isPassing(error)) throw error
      await sleep(2 ** attempt * (0.5 + jitter()))
    }
  }
}

/** Runs `work`, which is not one transaction, on one of the servers that share the database at a time. */
export async function oneAtATime<D, T>(db: Kysely<D>, name: string, work: () => Promise<T>): Promise<T> {
  if (!isPostgres(db)) return work()
  const key = keyOf(name)
  return db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${String(key)}::bigint)`.execute(connection)
    try {
      return await work()
    } finally {
      await sql`select pg_advisory_unlock(${String(key)}::bigint)`.execute(connection)
    }
  })
}

async function take<D>(transaction: Transaction<D>, keys: readonly bigint[]): Promise<void> {
  if (keys.length === 0) {
    await sql`select pg_advisory_xact_lock(${String(everything)}::bigint)`.execute(transaction)
    return
  }
  await sql`select pg_advisory_xact_lock_shared(${String(everything)}::bigint)`.execute(transaction)
  // In the order of the list, which is the same for all: two transactions never wait for each other.
  const list = `{${keys.join(',')}}`
  await sql`select count(pg_advisory_xact_lock(key)) from unnest(${list}::bigint[]) as key`.execute(transaction)
}

/** Locks have numbers of 64 bits; two names with the same number only wait for each other needlessly. */
function keyOf(lock: string): bigint {
  return createHash('sha256').update(`gantry ${lock}`).digest().readBigInt64BE()
}

/** 0 to 1. Not random: that two servers do not fall in step again takes no more than the clock's last digits. */
function jitter(): number {
  return (process.hrtime()[1] % 1000) / 1000
}
