import type { AuditPageView } from '@gantry/facade-native/views'
import { infiniteQueryOptions } from '@tanstack/react-query'
import type { AuditSearch } from '../pages/audit/search.ts'
import { call } from './client.ts'

/** No event tells of these: the newest are read again while they are looked at, unless one has gone further back. Milliseconds. */
const lookEveryMs = 5000

/** What was called on all servers, newest first, a page at a time. */
export function auditQuery(search: AuditSearch) {
  return infiniteQueryOptions({
    queryKey: ['audit', search],
    staleTime: 0,
    queryFn: ({ signal, pageParam }) =>
      call<AuditPageView>('/v1/audit', {
        signal,
        query: { ...search, limit: 100, ...(pageParam !== null && { marker: pageParam }) },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : lookEveryMs),
  })
}
