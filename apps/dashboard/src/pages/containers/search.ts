/** What the list shows, kept in the address so that it can be shared and come back to. */
export interface ContainerSearch {
  /** Words, of which each must be found. */
  readonly q?: string
  /** Statuses, with commas between. */
  readonly status?: string
  readonly sort?: SortKey
  readonly order?: 'asc' | 'desc'
}

export const sortKeys = ['name', 'image', 'address', 'status', 'size', 'createdAt', 'host'] as const
export type SortKey = (typeof sortKeys)[number]

/** Whatever stands in the address: what is not known is left out. */
export function containerSearch(asked: Readonly<Record<string, unknown>>): ContainerSearch {
  const { q, status, sort, order } = asked
  const key = sortKeys.find((known) => known === sort)
  return {
    ...(q !== undefined && q !== '' && { q: textOf(q) }),
    ...(typeof status === 'string' && status !== '' && { status }),
    ...(key && { sort: key }),
    ...((order === 'asc' || order === 'desc') && { order }),
  }
}

/** A word of digits is read as a number from the address. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
