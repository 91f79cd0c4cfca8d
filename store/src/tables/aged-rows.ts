import type { Kysely } from 'kysely'
import { type Cell, type Columns, fromRow, toRow } from '../columns.ts'
import type { Database } from '../database.ts'
import { inChunks } from '../in-chunks.ts'
import { type NumberedTable, nextSeq } from './next-seq.ts'

export interface AgedSketch<T extends object> {
  readonly table: NumberedTable
  readonly columns: Columns<T>
}

/** What every table of entities with an `id` and an age can be asked; lists are ordered by age. */
export interface AgedRows<T extends { readonly id: string }> {
  insert(entity: T): Promise<void>
  get(id: T['id']): Promise<T | undefined>
  /** Those that have all of these values; at most `limit`. */
  where(filter: Partial<T>, limit?: number): Promise<T[]>
  /** Those whose `field` has one of the values. */
  whereIn<K extends keyof T>(field: K, values: readonly T[K][]): Promise<T[]>
  update(id: T['id'], change: Partial<T>): Promise<void>
  remove(id: T['id']): Promise<void>
  count(filter: Partial<T>): Promise<number>
}

export function agedRows<T extends { readonly id: string }>(
  db: Kysely<Database>,
  { table, columns }: AgedSketch<T>,
): AgedRows<T> {
  // Column names come from `columns`, which only this room writes; Kysely's own types cannot follow a variable table.
  const rows = db as unknown as Kysely<Record<string, Record<string, Cell>>>
  return {
    async insert(entity) {
      await rows
        .insertInto(table)
        .values({ ...toRow(columns, entity), seq: nextSeq(db, table) })
        .execute()
    },
    async get(id) {
      const row = await rows.selectFrom(table).selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(columns, row)
    },
    async where(filter, limit) {
      let query = rows.selectFrom(table).selectAll().orderBy('seq')
      if (limit !== undefined) query = query.limit(limit)
      for (const [column, cell] of Object.entries(toRow(columns, filter))) {
        query = query.where(column, cell === null ? 'is' : '=', cell)
      }
      return (await query.execute()).map((row) => fromRow(columns, row))
    },
    async whereIn(field, values) {
      const column = columns[field]
      const found = await inChunks(values, (chunk) =>
        rows
          .selectFrom(table)
          .selectAll()
          .where(
            column.name,
            'in',
            chunk.map((value) => column.write(value)),
          )
          .execute(),
      )
      // Each chunk comes in order of its own, or of none.
      found.sort((a, b) => Number(a['seq']) - Number(b['seq']))
      return found.map((row) => fromRow(columns, row))
    },
    async update(id, change) {
      const row = toRow(columns, change)
      if (Object.keys(row).length > 0) await rows.updateTable(table).set(row).where('id', '=', id).execute()
    },
    async remove(id) {
      await rows.deleteFrom(table).where('id', '=', id).execute()
    },
    async count(filter) {
      let query = rows.selectFrom(table).select(({ fn }) => fn.countAll().as('total'))
      for (const [column, cell] of Object.entries(toRow(columns, filter))) query = query.where(column, '=', cell)
      return Number((await query.executeTakeFirstOrThrow()).total)
    },
  }
}
