import type { EntityTable } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Kysely, Transaction } from 'kysely'
import { atomically } from '../atomically.ts'
import { type Cell, type Columns, fromRow, toRow } from '../columns.ts'
import { isDuplicate } from '../duplicate.ts'
import type { IdentityDatabase } from './database.ts'

export interface EntitySketch<T extends object> {
  readonly table: keyof IdentityDatabase
  /** What a person calls it: `project`. */
  readonly type: string
  readonly columns: Columns<T>
  /** Removes, in the same transaction, what must not outlive an entity. */
  readonly cascade?: (db: Transaction<IdentityDatabase>, id: string) => Promise<void>
}

/** One table of entities with an `id`: all of them need the same five queries. */
export function entityTable<T extends { readonly id: string }>(
  db: Kysely<IdentityDatabase>,
  { table, type, columns, cascade }: EntitySketch<T>,
): EntityTable<T> {
  // Column names come from `columns`, which only this room writes; Kysely's own types cannot follow a variable table.
  const rows = db as unknown as Kysely<Record<string, Record<string, Cell>>>
  return {
    async insert(entity) {
      const row = toRow(columns, entity)
      await refuseDuplicates(type, row, () => rows.insertInto(table).values(row).execute())
    },
    async get(id) {
      const row = await rows.selectFrom(table).selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(columns, row)
    },
    async list(filter = {}) {
      let query = rows.selectFrom(table).selectAll()
      for (const [column, cell] of Object.entries(toRow(columns, filter))) {
        query = cell === null ? query.where(column, 'is', null) : query.where(column, '=', cell)
      }
      return (await query.orderBy('id').execute()).map((row) => fromRow(columns, row))
    },
    async update(id, change) {
      const row = toRow(columns, change as Partial<T>)
      if (Object.keys(row).length === 0) return
      await refuseDuplicates(type, row, () => rows.updateTable(table).set(row).where('id', '=', id).execute())
    },
    async remove(id) {
      await atomically(db, async (transaction) => {
        await cascade?.(transaction, id)
        const rows = transaction as unknown as Transaction<Record<string, Record<string, Cell>>>
        await rows.deleteFrom(table).where('id', '=', id).execute()
      })
    },
  }
}

async function refuseDuplicates(type: string, row: Record<string, Cell>, write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!isDuplicate(error)) throw error
    throw new Fault('identity.conflict', { type, name: row['name'] ?? row['id'] ?? '' }, error)
  }
}
