import type { Kysely } from 'kysely'

/** `?` after a type: the column may be null. */
export type ColumnType = 'text' | 'text?' | 'bigint' | 'bigint?'

/** A table with its key, what must be unique in it, and its plain indexes. */
export interface TableSketch {
  readonly name: string
  readonly columns: Readonly<Record<string, ColumnType>>
  readonly key: readonly string[]
  readonly unique?: readonly (readonly string[])[]
  readonly indexes?: readonly (readonly string[])[]
  /** Column → table whose `id` it names; rows go with the row they name. */
  readonly partOf?: Readonly<Record<string, string>>
}

export async function createTable(db: Kysely<unknown>, sketch: TableSketch): Promise<void> {
  const { name, columns, key, unique = [], indexes = [], partOf = {} } = sketch
  let table = db.schema.createTable(name)
  for (const [column, type] of Object.entries(columns)) {
    const whole = partOf[column]
    table = table.addColumn(column, type.startsWith('text') ? 'text' : 'bigint', (definition) => {
      const bounded = type.endsWith('?') ? definition : definition.notNull()
      return whole === undefined ? bounded : bounded.references(`${whole}.id`).onDelete('cascade')
    })
  }
  await table.addPrimaryKeyConstraint(`${name}_key`, [...key] as never[]).execute()
  for (const group of unique) await createIndex(db, name, group, true)
  for (const group of indexes) await createIndex(db, name, group, false)
}

async function createIndex(db: Kysely<unknown>, table: string, columns: readonly string[], unique: boolean) {
  const index = db.schema.createIndex(`${table}_${unique ? 'unique' : 'by'}_${columns.join('_')}`).on(table)
  await (unique ? index.unique() : index).columns([...columns]).execute()
}
