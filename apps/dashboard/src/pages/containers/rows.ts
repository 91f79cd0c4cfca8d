import type { ContainerView } from '@gantry/facade-native/views'
import type { ContainerPage } from '../../api/nouns.ts'
import type { ContainerSearch, SortKey } from './search.ts'

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** All containers of the pages, each once: one that was new while pages were read may be in two. */
export function containersOf(pages: readonly ContainerPage[]): readonly ContainerView[] {
  const byId = new Map<string, ContainerView>()
  for (const { containers } of pages) for (const one of containers) if (!byId.has(one.id)) byId.set(one.id, one)
  return [...byId.values()]
}

/** How many there are in each status, the most frequent first. */
export function countByStatus(
  containers: readonly ContainerView[],
): readonly (readonly [status: string, count: number])[] {
  const counts = new Map<string, number>()
  for (const { status } of containers) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}

/** Those that `search` asks for, in its order. */
export function rowsOf(containers: readonly ContainerView[], search: ContainerSearch): readonly ContainerView[] {
  const { sort = 'createdAt' } = search
  const order = search.order ?? (sort === 'createdAt' ? 'desc' : 'asc')
  const statuses = new Set(search.status?.split(','))
  const wanted = (search.q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const rows = containers.filter(
    (one) => (statuses.size === 0 || statuses.has(one.status)) && (wanted.length === 0 || has(one, wanted)),
  )
  const direction = order === 'asc' ? 1 : -1
  return rows.sort((a, b) => direction * compare[sort](a, b) || words.compare(a.name, b.name))
}

function has(container: ContainerView, wanted: readonly string[]): boolean {
  const text = textOf(container).toLowerCase()
  return wanted.every((word) => text.includes(word))
}

function textOf({ id, name, image, addresses, host, labels, statusReason }: ContainerView): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return [id, name, image, host ?? '', statusReason ?? '', ...addresses.map(({ address }) => address), ...pairs].join(
    '\n',
  )
}

const compare: Readonly<Record<SortKey, (a: ContainerView, b: ContainerView) => number>> = {
  name: (a, b) => words.compare(a.name, b.name),
  image: (a, b) => words.compare(a.image, b.image),
  status: (a, b) => words.compare(a.status, b.status),
  host: (a, b) => words.compare(a.host ?? '', b.host ?? ''),
  address: (a, b) => words.compare(a.addresses[0]?.address ?? '', b.addresses[0]?.address ?? ''),
  size: (a, b) => a.memory - b.memory || a.cpu - b.cpu,
  // ISO 8601 in UTC: the order of the letters is that of time.
  createdAt: (a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0),
}
