import { infiniteQueryOptions, type QueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { type KeptList, keepContainerList } from './container-list.ts'
import { followEveryChange } from './every-change.ts'
import type { ContainerPage } from './nouns.ts'

/** What of every project's containers is asked for; the server filters and sorts. */
export interface AllFilter {
  readonly project?: string | undefined
  readonly host?: string | undefined
  readonly name?: string | undefined
  readonly status?: string | undefined
  readonly order: 'asc' | 'desc'
}

const pageSize = 200
/** As many are kept in the page; who looks for others asks more closely. */
export const mostShown = 5000

function pageOf(filter: AllFilter, marker: string | null, signal: AbortSignal): Promise<ContainerPage> {
  const query = { allProjects: true, limit: pageSize, ...filter, ...(marker !== null && { marker }) }
  return call<ContainerPage>('/v1/containers', { signal, query })
}

/** Containers of every project by age, a page at a time. For administrators. */
export function allContainersQuery(filter: AllFilter) {
  return infiniteQueryOptions({
    queryKey: ['container', 'all', filter],
    structuralSharing: false,
    // Changes are heard only while the list is looked at.
    staleTime: 0,
    queryFn: ({ signal, pageParam }) => pageOf(filter, pageParam, signal),
    initialPageParam: null as string | null,
    // Its last one as of now: the one that was last when it was read may be gone.
    getNextPageParam: ({ containers, next }) => (next === null ? null : (containers.at(-1)?.id ?? next)),
  })
}

/** Keeps the list of `filter` true to what happens in every project, until the answer is called. */
export function followAll(client: QueryClient, filter: AllFilter): () => void {
  const list: KeptList = {
    queryKey: allContainersQuery(filter).queryKey,
    newest: (signal) => pageOf(filter, null, signal),
    isWhole: false,
    takesNew: filter.order === 'desc',
    most: mostShown,
  }
  const kept = keepContainerList(client, list)
  const follow = followEveryChange({
    types: 'container.*',
    onChanges: (changes) => kept.take(changes),
    onGap: () => void client.invalidateQueries({ queryKey: list.queryKey }),
  })
  return () => {
    follow()
    kept.stop()
  }
}
