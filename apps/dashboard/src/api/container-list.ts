import type { ChangeView, ContainerView } from '@gantry/facade-native/views'
import { hashKey, type InfiniteData, type QueryClient } from '@tanstack/react-query'
import { ApiError, call } from './client.ts'
import { type ContainerPage, containersQuery } from './nouns.ts'

/** What becomes of one entry of the list. */
export type Edit =
  | { readonly kind: 'patch'; readonly data: ChangeView['data'] }
  | { readonly kind: 'put'; readonly view: ContainerView }
  | { readonly kind: 'drop' }

type Pages = InfiniteData<ContainerPage, string | null>

/** A list that is to be kept true, and what of it can be asked for. */
export interface KeptList {
  readonly queryKey: readonly unknown[]
  /** Those that would come first in it. */
  readonly newest: (signal: AbortSignal) => Promise<ContainerPage>
  /** All of a project are in it. Else only those that the server finds for a filter: what is new belongs to it only if it is among `newest`. */
  readonly isWhole: boolean
  /** False: what is new would not come first, and is not looked for. */
  readonly takesNew: boolean
  /** It is cut to so many, or to its first page. */
  readonly most: number
}

const wholeList: KeptList = {
  queryKey: containersQuery.queryKey,
  newest: (signal) => call<ContainerPage>('/v1/containers', { signal, query: { limit: 1000 } }),
  isWhole: true,
  takesNew: true,
  most: Number.POSITIVE_INFINITY,
}

/** The most that are asked for one by one; beyond, the newest thousand come in one answer. */
const mostSingles = 8
/** Between two answers of the newest thousand, however fast things change. Milliseconds. */
const pauseMs = 1000

/** What a change tells of a container; where its host is, only administrators are shown. */
const told = [
  'name',
  'image',
  'status',
  'statusReason',
  'task',
  'cpu',
  'memory',
  'disk',
  'startedAt',
  'finishedAt',
  'exitCode',
] as const

/** After these, a container has what no change tells: addresses, groups, a host. */
const tellsTooLittle = /^container\.(create|move|rebuild|(network|sg)_\w+|(add|remove)_security_group)\.end$/

/**
 * Keeps a list of containers true to what changes say, without reading it again: with 10,000 of them that would be ten long answers.
 * For as long as somebody is signed in; `stop` ends it.
 */
export function keepContainerList(client: QueryClient, list: KeptList = wholeList) {
  const { queryKey, isWhole, takesNew, most } = list
  const queryHash = hashKey(queryKey)
  const journal = new Map<string, Edit>()
  const wanted = new Map<string, 'new' | 'known'>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const stopped = new AbortController()

  const apply = (edits: ReadonlyMap<string, Edit>) => {
    // A page that is being read may have been made before these, and ends by writing over them.
    if (client.getQueryState(queryKey)?.fetchStatus === 'fetching')
      for (const [id, edit] of edits) journal.set(id, edit)
    client.setQueryData<Pages>(queryKey, (pages) => pages && cut(edited(pages, edits), most))
  }
  const unsubscribe = client.getQueryCache().subscribe((event) => {
    if (journal.size === 0 || event.type !== 'updated' || event.query.queryHash !== queryHash) return
    if (event.action.type !== 'success' || event.action.manual === true) return
    const again = new Map(journal)
    journal.clear()
    apply(again)
  })
  const look = async () => {
    const ids = new Map(wanted)
    wanted.clear()
    const found = await lookUp(ids, list, stopped.signal).catch(() => new Map<string, Edit>())
    if (stopped.signal.aborted) return
    apply(found)
    timer = wanted.size > 0 || ids.size > mostSingles || !isWhole ? setTimeout(next, pauseMs) : undefined
  }
  const next = () => {
    timer = undefined
    if (wanted.size > 0) start()
  }
  const start = () => {
    timer = setTimeout(() => void look(), 0)
  }

  return {
    take(changes: readonly ChangeView[]): void {
      const pages = client.getQueryData<Pages>(queryKey)
      if (!pages && client.getQueryState(queryKey)?.fetchStatus !== 'fetching') return
      const known = new Set(pages?.pages.flatMap(({ containers }) => containers.map(({ id }) => id)))
      const edits = new Map<string, Edit>()
      for (const change of changes) {
        if (isMember(change)) continue
        const edit = editOf(change)
        if (edit) edits.set(change.objectId, edit)
        const isNew = !known.has(change.objectId)
        if (edit?.kind === 'drop') continue
        if (isNew ? takesNew : tellsTooLittle.test(change.type)) wanted.set(change.objectId, isNew ? 'new' : 'known')
      }
      apply(edits)
      if (wanted.size > 0 && timer === undefined) start()
    },
    stop(): void {
      stopped.abort()
      clearTimeout(timer)
      unsubscribe()
    },
  }
}

/** Into the list at once, what an answer to a verb shows. */
export function showContainer(client: QueryClient, view: ContainerView): void {
  // An administrator may have asked it of another project's container, which is in the lists of all projects only.
  const edits = new Map([[view.id, { kind: 'put', view } as const]])
  for (const key of [wholeList.queryKey, ['container', 'all']]) {
    client.setQueriesData<Pages>(
      { queryKey: key },
      (pages) => pages && (has(pages, view.id) ? edited(pages, edits) : pages),
    )
  }
  client.setQueryData<ContainerView>(['container', view.id], view)
}

/** undefined: it says nothing of what is shown. */
export function editOf({ type, data }: ChangeView): Edit | undefined {
  if (type === 'container.delete.end') return { kind: 'drop' }
  return 'status' in data ? { kind: 'patch', data } : undefined
}

/** Members of capsules are not in the list. */
function isMember({ data }: ChangeView): boolean {
  return typeof data['capsuleId'] === 'string'
}

/** The list with `edits` made; pages that none of them touches stay the same. What is not there yet comes first. */
export function edited(list: Pages, edits: ReadonlyMap<string, Edit>): Pages {
  if (edits.size === 0) return list
  const left = new Map(edits)
  const pages = list.pages.map((page) => {
    if (!page.containers.some(({ id }) => edits.has(id))) return page
    const containers = page.containers.flatMap((container) => {
      const edit = edits.get(container.id)
      left.delete(container.id)
      return edit ? (changed(container, edit) ?? []) : [container]
    })
    return { ...page, containers }
  })
  const fresh = [...left.values()].flatMap((edit) => (edit.kind === 'put' ? [edit.view] : []))
  const [first, ...others] = pages
  if (fresh.length === 0 || !first) return { ...list, pages }
  return { ...list, pages: [{ ...first, containers: [...fresh, ...first.containers] }, ...others] }
}

function has({ pages }: Pages, id: string): boolean {
  return pages.some(({ containers }) => containers.some((one) => one.id === id))
}

/** Whole pages at the end go first; the next one is then read anew. */
function cut(list: Pages, most: number): Pages {
  const { pages, pageParams } = list
  let count = 0
  const kept = pages.filter((page, index) => {
    count += page.containers.length
    return index === 0 || count <= most
  })
  const [first] = kept
  if (count <= most || !first) return list
  if (kept.length > 1 || first.containers.length <= most)
    return { pages: kept, pageParams: pageParams.slice(0, kept.length) }
  const containers = first.containers.slice(0, most)
  return { pages: [{ containers, next: containers.at(-1)?.id ?? null }], pageParams: pageParams.slice(0, 1) }
}

function changed(container: ContainerView, edit: Edit): ContainerView[] | null {
  if (edit.kind === 'drop') return null
  if (edit.kind === 'put') return [edit.view]
  const fields = told.flatMap((field) => (edit.data[field] === undefined ? [] : [[field, edit.data[field]] as const]))
  return [{ ...container, ...Object.fromEntries(fields) }]
}

/** What these containers are now: those that are gone are to be dropped. */
async function lookUp(
  ids: ReadonlyMap<string, 'new' | 'known'>,
  { newest, isWhole }: KeptList,
  signal: AbortSignal,
): Promise<Map<string, Edit>> {
  const edits = new Map<string, Edit>()
  if (ids.size > mostSingles || !isWhole) {
    const page = await newest(signal)
    for (const view of page.containers) if (ids.has(view.id)) edits.set(view.id, { kind: 'put', view })
  }
  const singles = [...ids].filter(([id, kind]) => !edits.has(id) && (isWhole || kind === 'known')).slice(0, 100)
  for (const [id] of singles) edits.set(id, await lookUpOne(id, signal))
  return edits
}

async function lookUpOne(id: string, signal: AbortSignal): Promise<Edit> {
  try {
    return { kind: 'put', view: await call<ContainerView>(`/v1/containers/${encodeURIComponent(id)}`, { signal }) }
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { kind: 'drop' }
    throw error
  }
}
