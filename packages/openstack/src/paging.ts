import { assertNever } from '@gantry/kernel'
import { OpenStackError } from './openstack-error.ts'
import type { Reader } from './reader.ts'

export interface PageForm<T> {
  /** Of the list in a page; null: the page is the list. */
  readonly key: string | null
  readonly item: Reader<T>
  /**
   * What follows a page. `link`: a link to the next says so (Glance's `next`, Neutron's `networks_links`, Heat's `links`). `own-pages`:
   * the same, but how much a page holds is not to be said: newer Keystones refuse it (roles, trusts). `until-empty`: no link; one asks
   * on until a page is empty (Swift). `offset`: a link says that there is more, and its marker means nothing: one asks for what is
   * behind so many (Manila). `whole`: there are no pages.
   */
  readonly next: 'link' | 'own-pages' | 'until-empty' | 'offset' | 'whole'
  /** What to go on behind, where no link says it. */
  readonly marker: (item: T) => string
}

/** Items of a page, unless told; services with a smaller limit of their own send fewer. */
const pageSize = 500

/** Asks for a page when the one before has been taken. */
export async function* pages<T>(
  { key, item, next, marker }: PageForm<T>,
  service: string,
  page: (query: { limit?: number; marker?: string; offset?: number }) => Promise<unknown>,
  size = pageSize,
): AsyncIterable<T> {
  const unreadable = (reason: string) => new OpenStackError({ failure: 'unreadable', service, reason })
  const limit = next === 'own-pages' || next === 'whole' ? {} : { limit: size }
  let after: string | null = null
  let count = 0
  while (true) {
    const behind = next === 'offset' ? { offset: count } : { marker: after ?? '' }
    const document: unknown = await page(after === null ? limit : { ...limit, ...behind })
    const list: unknown = key === null ? document : (document as Record<string, unknown> | undefined)?.[key]
    if (!Array.isArray(list)) throw unreadable(`the page has no list${key === null ? '' : ` "${key}"`}`)
    let last: string | null = null
    for (const one of list as unknown[]) {
      const reading = item.read(one)
      if ('problem' in reading) throw unreadable(`an item of the page cannot be read: ${reading.problem}`)
      last = marker(reading.value)
      count += 1
      yield reading.value
    }
    const following: string | null = followingOf(next, document, key, last)
    if (following === null) return
    // A service that forgets the marker would be asked forever.
    if (following === after) throw unreadable(`the page behind ${after} leads to itself`)
    after = following
  }
}

function followingOf(
  next: PageForm<unknown>['next'],
  document: unknown,
  key: string | null,
  last: string | null,
): string | null {
  switch (next) {
    case 'whole':
      return null
    case 'until-empty':
      return last
    case 'offset':
      return last === null || nextMarker(document, key, last) === null ? null : last
    case 'link':
    case 'own-pages':
      return nextMarker(document, key, last)
    default:
      return assertNever(next, 'kind of paging')
  }
}

/** Of the link only the marker is taken: its host is often one that does not lead to the service. */
function nextMarker(document: unknown, key: string | null, last: string | null): string | null {
  const fields = document as Record<string, unknown>
  const href = hrefOf(fields['next']) ?? hrefOf(fields[`${key}_links`]) ?? hrefOf(fields['links'])
  if (href === null) return null
  const query = href.split('?')[1]
  return new URLSearchParams(query ?? '').get('marker') ?? last
}

function hrefOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) {
    const links = value as { rel?: unknown; href?: unknown }[]
    return hrefOf(links.find((link) => link?.rel === 'next')?.href)
  }
  if (typeof value === 'object' && value !== null) return hrefOf((value as { next?: unknown }).next)
  return null
}
