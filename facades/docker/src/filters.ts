import { Fault } from '@gantry/kernel'

/** The Engine API's filters: each key with its values, in either of the two encodings that clients use. */
export type Filters = ReadonlyMap<string, readonly string[]>

/**
 * Reads `{"label":{"a=b":true}}` and `{"label":["a=b"]}`. Throws `request.invalid` for what is neither, and for keys
 * that are not among `known`.
 */
export function filtersOf(text: string | undefined, known: readonly string[]): Filters {
  const filters = new Map<string, readonly string[]>()
  if (text === undefined || text === '') return filters
  for (const [key, values] of Object.entries(parsed(text))) {
    if (!known.includes(key)) throw new Fault('request.invalid', { problem: `Invalid filter '${key}'` })
    const list = valuesOf(values)
    if (list.length > 0) filters.set(key, list)
  }
  return filters
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Told below.
  }
  throw new Fault('request.invalid', { problem: `invalid filters: ${JSON.stringify(text.slice(0, 100))}` })
}

function valuesOf(values: unknown): string[] {
  if (Array.isArray(values)) return values.map(String)
  if (typeof values === 'object' && values !== null) return Object.keys(values)
  throw new Fault('request.invalid', { problem: 'invalid filters: values must be a list or a map' })
}

/** Any of the values; a key that was not asked for lets everything through. */
export function matchesAny(filters: Filters, key: string, test: (value: string) => boolean): boolean {
  const values = filters.get(key)
  return values === undefined || values.some(test)
}

/** All of `label`, and none of `label!`; `a=b` or the mere key `a`. */
export function matchesLabels(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  const has = (wanted: string) => {
    const at = wanted.indexOf('=')
    if (at < 0) return Object.hasOwn(labels, wanted)
    return labels[wanted.slice(0, at)] === wanted.slice(at + 1)
  }
  const wanted = filters.get('label') ?? []
  const unwanted = filters.get('label!') ?? []
  return wanted.every(has) && (unwanted.length === 0 || !unwanted.every(has))
}

/** Names are unanchored regular expressions; one that is none is taken as plain text. */
export function matchesName(pattern: string, ...names: readonly string[]): boolean {
  // A hostile expression could keep the whole server busy, so only short ones without nested repetition count as such.
  const safe = pattern.length <= 100 && !/[+*}]\)?[+*{]|\)[+*{]/.test(pattern)
  try {
    const expression = safe ? new RegExp(pattern) : null
    return names.some((name) => (expression ? expression.test(name) : name.includes(pattern)))
  } catch {
    return names.some((name) => name.includes(pattern))
  }
}

/** A boolean parameter as the engine reads it; of one that was said several times, the first counts. */
export function isTrue(value: string | boolean | readonly string[] | null | undefined): boolean {
  const said = typeof value === 'object' ? value?.[0] : value
  const text = String(said ?? '')
    .trim()
    .toLowerCase()
  return !['', '0', 'no', 'false', 'none', 'undefined'].includes(text)
}
