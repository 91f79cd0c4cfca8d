import type { Kysely, Transaction } from 'kysely'
import { lockedTransaction } from './locks.ts'

/** One transaction for writes that belong together: the one that is under way, or else one of their own. */
export function atomically<D, T>(db: Kysely<D>, work: (db: Transaction<D>) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db as Transaction<D>) : lockedTransaction(db, [], work)
}
