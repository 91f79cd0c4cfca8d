import type { Fault } from '@gantry/kernel'

/** PostgreSQL: SQLSTATE unique_violation. SQLite: extended codes of UNIQUE and PRIMARY KEY constraints. */
export function isDuplicate(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('code' in error && error.code === '23505') return true
  return 'errcode' in error && (error.errcode === 2067 || error.errcode === 1555)
}

/** Does `write`; a value that is taken already becomes the fault that `taken` makes. */
export async function orTaken<T>(write: () => Promise<T>, taken: (cause: unknown) => Fault): Promise<T> {
  try {
    return await write()
  } catch (error) {
    throw isDuplicate(error) ? taken(error) : error
  }
}
