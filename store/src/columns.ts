/** What a column can hold in both SQLite and PostgreSQL. */
export type Cell = string | number | null

interface Column<V> {
  readonly name: string
  write(value: V): Cell
  /** undefined: the field is left out. */
  read(cell: Cell): V | undefined
}

/** How each field of an entity is kept. */
export type Columns<T> = { readonly [K in keyof T]-?: Column<T[K]> }

export function text<V extends string | null = string>(name: string): Column<V> {
  return { name, write: (value) => value, read: (cell) => cell as V }
}

export function flag(name: string): Column<boolean> {
  return { name, write: (value) => (value ? 1 : 0), read: (cell) => Number(cell) !== 0 }
}

export function count(name: string): Column<number | null> {
  // PostgreSQL's bigint arrives as text.
  return { name, write: (value) => value, read: (cell) => (cell === null ? null : Number(cell)) }
}

export function number(name: string): Column<number> {
  return { name, write: (value) => value, read: (cell) => Number(cell) }
}

/** Anything that JSON can hold; never filtered by. */
export function json<V>(name: string): Column<V> {
  return {
    name,
    write: (value) => (value === null ? null : JSON.stringify(value)),
    read: (cell) => (cell === null ? null : JSON.parse(String(cell))) as V,
  }
}

/** A field that most have not. */
export function maybeJson<V>(name: string): Column<V> {
  return {
    name,
    write: (value) => JSON.stringify(value),
    read: (cell) => (cell === null ? undefined : (JSON.parse(String(cell)) as V)),
  }
}

/** A text that is left out where there is none. */
export function maybeText<V extends string>(name: string): Column<V> {
  return { name, write: (value) => value, read: (cell) => (cell === null ? undefined : (cell as V)) }
}

/** A flag that is left out where it is not raised. */
export function mark(name: string): Column<boolean> {
  return { name, write: (value) => (value ? 1 : null), read: (cell) => (Number(cell) === 1 ? true : undefined) }
}

export function strings(name: string): Column<readonly string[]> {
  return { name, write: (value) => JSON.stringify(value), read: (cell) => JSON.parse(String(cell)) as string[] }
}

/** The row of an entity, or of the part of it that is given. */
export function toRow<T extends object>(columns: Columns<T>, entity: Partial<T>): Record<string, Cell> {
  const row: Record<string, Cell> = {}
  for (const field of fieldsOf(columns)) {
    const value = entity[field]
    if (value !== undefined) row[columns[field].name] = columns[field].write(value)
  }
  return row
}

export function fromRow<T extends object>(columns: Columns<T>, row: Readonly<Record<string, Cell>>): T {
  const entity: Partial<T> = {}
  for (const field of fieldsOf(columns)) {
    const value = columns[field].read(row[columns[field].name] ?? null)
    if (value !== undefined) entity[field] = value
  }
  return entity as T
}

function fieldsOf<T extends object>(columns: Columns<T>): (keyof T)[] {
  return Object.keys(columns) as (keyof T)[]
}
