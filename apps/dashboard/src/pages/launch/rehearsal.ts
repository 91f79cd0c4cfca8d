import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { ApiError, call } from '../../api/client.ts'
import type { Wanted } from './draft.ts'

/** Where containers are asked for, one or many alike. */
export function askFor<T>({ count, container }: Wanted, options: { dryRun?: true; signal?: AbortSignal } = {}) {
  const { signal, ...query } = options
  const [path, body] = count === 1 ? ['/v1/containers', container] : ['/v1/containers/bulk', { ...container, count }]
  return call<T>(path, { method: 'POST', body, query, ...(signal && { signal }) })
}

/** Typing rests for so long before the server is asked. Milliseconds. */
const restMs = 350

/**
 * What the server would say to it, asked whenever typing rests; null: nothing speaks against it, or it was not asked. An answer to what
 * stood there before is none.
 */
export function useRehearsal(wanted: Wanted, enabled: boolean): ApiError | null {
  const asked = JSON.stringify(wanted)
  const [rested] = useDebouncedValue(asked, restMs)
  const { data = null } = useQuery({
    queryKey: ['rehearsal', rested],
    queryFn: async ({ signal }): Promise<ApiError | null> => {
      try {
        await askFor(wanted, { dryRun: true, signal })
        return null
      } catch (error) {
        // That it cannot be asked just now says nothing of what stands in the form.
        if (error instanceof ApiError) return error.status >= 400 && error.status < 500 ? error : null
        throw error
      }
    },
    enabled: enabled && rested === asked,
    staleTime: 5000,
    gcTime: 0,
    retry: false,
  })
  return rested === asked ? data : null
}
