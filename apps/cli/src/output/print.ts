import type { Column } from './table.ts'

/** Pretty JSON for programs. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** A table that fits the terminal, or is whole when it goes elsewhere. */
export async function printTable<T>(rows: readonly T[], columns: readonly Column<T>[]): Promise<void> {
  const { table } = await import('./table.ts')
  process.stdout.write(table(rows, columns, process.stdout.isTTY ? process.stdout.columns : undefined))
}

export async function printProperties(pairs: readonly (readonly [string, string])[]): Promise<void> {
  const { properties } = await import('./table.ts')
  process.stdout.write(properties(pairs))
}
