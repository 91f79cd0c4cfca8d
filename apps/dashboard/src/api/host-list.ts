import type { HostView } from '@gantry/facade-native/views'
import { hashKey, type QueryClient } from '@tanstack/react-query'
import { hostsQuery } from './nouns.ts'

const { queryKey } = hostsQuery
const queryHash = hashKey(queryKey)

/**
 * Keeps the list of hosts true to what events say of them, without reading it again. The stream tells of all hosts at first and then of
 * each that changed, so what was told last is what there is, whatever an answer says that was made before.
 */
export function keepHostList(client: QueryClient) {
  const told = new Map<string, HostView>()
  const apply = () => client.setQueryData<HostView[]>(queryKey, (known) => known && withTold(known, told))
  const unsubscribe = client.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.query.queryHash !== queryHash) return
    if (event.action.type === 'success' && event.action.manual !== true && told.size > 0) apply()
  })
  return {
    take(hosts: readonly HostView[]): void {
      for (const host of hosts) told.set(host.id, host)
      apply()
    },
    /** It was forgotten. */
    drop(id: string): void {
      told.delete(id)
      client.setQueryData<HostView[]>(queryKey, (known) => known?.filter((host) => host.id !== id))
    },
    /** The stream broke off: what comes now begins with all of them. */
    forget(): void {
      told.clear()
    },
    stop: unsubscribe,
  }
}

/** New ones come last. */
function withTold(known: readonly HostView[], told: ReadonlyMap<string, HostView>): HostView[] {
  const there = new Set(known.map(({ id }) => id))
  return [...known.map((host) => told.get(host.id) ?? host), ...[...told.values()].filter(({ id }) => !there.has(id))]
}
