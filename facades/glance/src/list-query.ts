import type { Image } from '@gantry/model'
import { invalid } from './errors.ts'
import { nameOf } from './image-view.ts'

/** The words of a query, each as often as it was said. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** Glance's own defaults. */
const usualLimit = 25
const mostAtOnce = 1000

const sortKeys = {
  name: (image: Image) => nameOf(image) ?? '',
  status: ({ status }: Image) => status,
  container_format: ({ glance }: Image) => glance.containerFormat ?? '',
  disk_format: ({ glance }: Image) => glance.diskFormat ?? '',
  size: ({ bytes }: Image) => bytes ?? 0,
  id: ({ id }: Image) => id,
  created_at: ({ createdAt }: Image) => createdAt,
  updated_at: ({ updatedAt }: Image) => updatedAt,
} as const
type SortKey = keyof typeof sortKeys

/** All values of a word. */
export function valuesOf(query: Query, key: string): readonly string[] {
  const value = query[key]
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

/** Of a word that is said once; the last one counts. */
export function valueOf(query: Query, key: string): string | undefined {
  return valuesOf(query, key).at(-1)
}

/** Answers the images of one page, and the last one's id if there are more. Throws a `Refusal`. */
export function pageOf(images: readonly Image[], query: Query): { images: Image[]; next: string | null } {
  const sorted = sortedBy(images, query)
  const marker = valueOf(query, 'marker')
  const at = marker === undefined ? -1 : sorted.findIndex(({ id }) => id === marker)
  if (marker !== undefined && at < 0) throw invalid('The image that marker names is not in this list.')
  const limit = limitOf(query)
  const page = sorted.slice(at + 1, at + 1 + limit)
  const isEnd = at + 1 + limit >= sorted.length || limit === 0
  return { images: page, next: isEnd ? null : (page.at(-1)?.id ?? null) }
}

function limitOf(query: Query): number {
  const text = valueOf(query, 'limit')
  if (text === undefined) return usualLimit
  if (!/^\d{1,9}$/.test(text)) throw invalid('limit must be a whole number that is not negative.')
  return Math.min(Number(text), mostAtOnce)
}

interface Order {
  readonly key: SortKey
  readonly descending: boolean
}

function sortedBy(images: readonly Image[], query: Query): Image[] {
  const orders: Order[] = [...ordersOf(query), { key: 'created_at', descending: true }, { key: 'id', descending: true }]
  return images.toSorted((one, other) => {
    for (const { key, descending } of orders) {
      const [a, b] = [sortKeys[key](one), sortKeys[key](other)]
      if (a !== b) return a < b === descending ? 1 : -1
    }
    return 0
  })
}

function ordersOf(query: Query): Order[] {
  const [keys, directions] = [valuesOf(query, 'sort_key'), valuesOf(query, 'sort_dir')]
  const sort = valueOf(query, 'sort')
  if (sort !== undefined) {
    if (keys.length + directions.length > 0) throw invalid('sort and sort_key or sort_dir exclude each other.')
    return sort.split(',').map((part) => {
      const [key = '', direction = 'desc'] = part.trim().split(':')
      return orderOf(key, direction)
    })
  }
  if (directions.length > 1 && directions.length !== keys.length) {
    throw invalid('Say sort_dir once, or once for each sort_key.')
  }
  const given = keys.length === 0 && directions.length > 0 ? ['created_at'] : keys
  return given.map((key, at) => orderOf(key, directions[at] ?? directions[0] ?? 'desc'))
}

function orderOf(key: string, direction: string): Order {
  if (!Object.hasOwn(sortKeys, key)) throw invalid(`sort_key must be one of ${Object.keys(sortKeys).join(', ')}.`)
  if (direction !== 'asc' && direction !== 'desc') throw invalid('sort_dir must be asc or desc.')
  return { key: key as SortKey, descending: direction === 'desc' }
}
