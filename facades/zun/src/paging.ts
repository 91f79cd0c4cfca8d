import { type Arguments, integer, text } from './arguments.ts'
import { Refusal } from './errors.ts'

const maxLimit = 1000

export interface Page {
  readonly limit: number
  readonly marker: string | null
  readonly sortKey: string
  readonly descending: boolean
}

/** `limit`, `marker`, `sort_key`, `sort_dir` of a list; bad ones are 400. */
export function readPage(query: Arguments, sortKeys: readonly string[], defaultKey: string): Page {
  const sortKey = text(query, 'sort_key') ?? defaultKey
  if (!sortKeys.includes(sortKey)) {
    throw new Refusal(400, 'invalid-parameter-value', `The sort_key must be one of ${sortKeys.join(', ')}.`)
  }
  const direction = text(query, 'sort_dir') ?? 'asc'
  if (direction !== 'asc' && direction !== 'desc') {
    throw new Refusal(400, 'invalid-value', 'The sort_dir must be asc or desc.')
  }
  return {
    limit: Math.min(integer(query, 'limit', 1) ?? maxLimit, maxLimit),
    marker: text(query, 'marker', 255) ?? null,
    sortKey,
    descending: direction === 'desc',
  }
}

/** The address of the page after this one, filters kept; null when this one was not full. */
export function nextPage(
  address: string,
  query: Arguments,
  page: Page,
  lastId: string | undefined,
  count: number,
): string | null {
  if (lastId === undefined || count < page.limit) return null
  const kept = Object.entries(query).map(([key, value]): [string, string] => [key, String(value)])
  const next = new URLSearchParams(kept)
  next.set('limit', String(page.limit))
  next.set('marker', lastId)
  next.set('sort_key', page.sortKey)
  next.set('sort_dir', page.descending ? 'desc' : 'asc')
  return `${address}?${next.toString()}`
}
