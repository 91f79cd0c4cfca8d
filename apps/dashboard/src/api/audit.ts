import type { AuditPageView } from '@gantry/facade-native/views'
import { infiniteQueryOptions } from '@tanstack/react-query'
import type { AuditSearch } from '../pages/audit/search.ts'
import { call } from './client.ts'

/** What was called on all servers, newest first, a page at a time. */
export function auditQuery(search: AuditSearch) {
  return infiniteQueryOptions({
    queryKey: ['audit', search],
    // Refusals move nothing, so that no event tells of them: also read when somebody comes back to the window.
    staleTime: 0,
    refetchOnWindowFocus: true,
    queryFn: ({ signal, pageParam }) =>
      call<AuditPageView>('/v1/audit', {
        signal,
        query: { ...search, limit: 100, ...(pageParam !== null && { marker: pageParam }) },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  })
}
