import type { ContainerView, HostView, ImageView, NetworkView, PortView, VolumeView } from '@gantry/facade-native/views'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'

/** The list of a noun that comes in one answer: `['volume', 'list']` of `GET /v1/volumes`. */
export function listOf<T>(noun: string, path: string, field: string) {
  return queryOptions({
    queryKey: [noun, 'list'],
    queryFn: async ({ signal }) => {
      const answer = await call<Record<string, T[]>>(`/v1/${path}`, { signal })
      return answer[field] ?? []
    },
  })
}

/**
 * Events tell what Gantry does to these. Beside an OpenStack, others change them too, and shared ones are changed by other projects:
 * whoever comes to a page or back to its window sees that.
 */
export const alsoElsewhere = { staleTime: 30_000, refetchOnWindowFocus: true } as const

export const hostsQuery = listOf<HostView>('host', 'hosts', 'hosts')
export const imagesQuery = listOf<ImageView>('image', 'images', 'images')
export const networksQuery = { ...listOf<NetworkView>('network', 'networks', 'networks'), ...alsoElsewhere }
export const portsQuery = { ...listOf<PortView>('port', 'ports', 'ports'), ...alsoElsewhere }
export const volumesQuery = { ...listOf<VolumeView>('volume', 'volumes', 'volumes'), ...alsoElsewhere }

export interface ContainerPage {
  readonly containers: readonly ContainerView[]
  readonly next: string | null
}

/** All containers of the project, newest first, a page of up to 1,000 at a time. Changes are written into it (container-list.ts). */
export const containersQuery = infiniteQueryOptions({
  queryKey: ['container', 'list'],
  // To compare 10,000 entries with what they were takes longer than to show those in sight.
  structuralSharing: false,
  queryFn: ({ signal, pageParam }) =>
    call<ContainerPage>('/v1/containers', {
      signal,
      query: { limit: 1000, ...(pageParam !== null && { marker: pageParam }) },
    }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next,
})

export function containerQuery(id: string) {
  return queryOptions({
    queryKey: ['container', id],
    queryFn: ({ signal }) => call<ContainerView>(`/v1/containers/${encodeURIComponent(id)}`, { signal }),
  })
}

export interface QuotaView {
  readonly projectId: string
  readonly limits: Record<QuotaKind, number>
  readonly used: Record<QuotaKind, number>
}
export type QuotaKind = 'containers' | 'cpu' | 'memory' | 'disk' | 'imageBytes'

export const quotaQuery = queryOptions({
  queryKey: ['quota'],
  queryFn: ({ signal }) => call<QuotaView>('/v1/quotas', { signal }),
})
