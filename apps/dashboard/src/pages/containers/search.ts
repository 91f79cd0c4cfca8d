/** What the list shows, kept in the address so that it can be shared and come back to. */
export interface ContainerSearch {
  /** Words, of which each must be found. */
  readonly q?: string
  /** Statuses, with commas between. */
  readonly status?: string
  readonly sort?: SortKey
  readonly order?: 'asc' | 'desc'
  /** Of every project; for administrators. The server filters then. */
  readonly all?: boolean
  /** With `all`: an id or a name. */
  readonly project?: string
  readonly host?: string
  readonly name?: string
}

export const sortKeys = ['name', 'image', 'address', 'status', 'size', 'createdAt', 'host'] as const
export type SortKey = (typeof sortKeys)[number]

/** Whatever stands in the address: what is not known is left out. */
export function containerSearch(asked: Readonly<Record<string, unknown>>): ContainerSearch {
  const { q, status, sort, order, all } = asked
  const key = sortKeys.find((known) => known === sort)
  return {
    ...(q !== undefined && q !== '' && { q: textOf(q) }),
    ...(typeof status === 'string' && status !== '' && { status }),
    ...(key && { sort: key }),
    ...((order === 'asc' || order === 'desc') && { order }),
    ...((all === true || all === 'true') && { all: true, ...wordsOf(asked) }),
  }
}

function wordsOf(asked: Readonly<Record<string, unknown>>): Pick<ContainerSearch, 'project' | 'host' | 'name'> {
  const fields = ['project', 'host', 'name'] as const
  const given = fields.map((field) => [field, textOf(asked[field] ?? '').trim()] as const)
  return Object.fromEntries(given.filter(([, text]) => text !== ''))
}

/** A word of digits is read as a number from the address. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
