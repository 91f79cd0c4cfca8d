import type { ChangeView, ContainerSummaryView, ContainerView } from '@gantry/facade-native/views'
import { queryOptions } from '@tanstack/react-query'
import { call, request } from './client.ts'

/** Read again with every change (live.ts). */
export const summaryQuery = queryOptions({
  queryKey: ['overview', 'summary'],
  queryFn: ({ signal }) => call<ContainerSummaryView>('/v1/containers/summary', { signal }),
})

/** As many of each kind as are worth reading one by one. */
const mostTroubled = 4

/** Some containers that are not as they should be, the newest of each kind first. */
export const troubledQuery = queryOptions({
  queryKey: ['overview', 'troubled'],
  queryFn: async ({ signal }) => {
    const wanted = [{ status: 'Error' }, { status: 'Running', health: 'unhealthy' }, { status: 'Unknown' }]
    const answers = await Promise.all(
      wanted.map((query) =>
        call<{ containers: ContainerView[] }>('/v1/containers', { signal, query: { ...query, limit: mostTroubled } }),
      ),
    )
    return answers.flatMap(({ containers }) => containers)
  },
})

export interface ChangeFilter {
  readonly most: number
  /** `container.*`; several with commas. */
  readonly types?: string
  readonly object?: string
  readonly allProjects?: boolean
}

/** The newest changes that were written down, newest first. */
export function recentQuery({ most, types, object, allProjects }: ChangeFilter) {
  return queryOptions({
    queryKey: ['changes', most, types, object, allProjects],
    refetchOnMount: 'always',
    queryFn: async ({ signal }) => {
      const query = { last: most, follow: false, types, object, allProjects }
      const answer = await request('/v1/events', { signal, query })
      return changesOf(await answer.text()).toReversed()
    },
  })
}

/** The changes in a stream of server-sent events that has ended. */
export function changesOf(stream: string): ChangeView[] {
  return stream.split('\n\n').flatMap((block) => {
    const lines = block.split('\n')
    if (!lines.includes('event: change')) return []
    const data = lines.find((line) => line.startsWith('data: '))
    return data === undefined ? [] : [JSON.parse(data.slice('data: '.length)) as ChangeView]
  })
}

/** What was heard since the page was opened before what was read when it was; each once, newest first. */
export function merged(heard: readonly ChangeView[], read: readonly ChangeView[], most: number): ChangeView[] {
  const all = new Map([...heard, ...read].map((change) => [change.id, change]))
  return [...all.values()].slice(0, most)
}
