import { Fault } from '@gantry/kernel'

type Json = Readonly<Record<string, unknown>>

/**
 * The same fields under the spelling of `names`. Engines read JSON without regard to case, so `privileged` must be judged
 * as `Privileged` is. What is not among the names keeps its own. Throws `request.invalid` for a field that is said under
 * two spellings: engines take the last one, and whoever sends that means to be misread.
 */
export function canonicalFields(names: Iterable<string>, object: Json): Record<string, unknown> {
  const known = new Map([...names].map((name) => [folded(name), name]))
  const fields = new Map<string, unknown>()
  for (const [key, value] of Object.entries(object)) {
    const name = known.get(folded(key)) ?? key
    if (fields.has(name)) {
      throw new Fault('request.invalid', { problem: `The field ${name} is said twice, in different spellings.` })
    }
    fields.set(name, value)
  }
  return Object.fromEntries(fields)
}

/** The long s and the Kelvin sign count as s and k to an engine too. */
export function folded(key: string): string {
  return key.toUpperCase().toLowerCase()
}

/** Values by which clients say nothing: every one of them sends all the fields it knows. A map with a key says something. */
export function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === '') return true
  if (Array.isArray(value)) return value.every(isNothing)
  return typeof value === 'object' && Object.keys(value).length === 0
}
