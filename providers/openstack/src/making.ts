import type { Store } from '@gantry/control'
import { begunElsewhere, type Shared } from './among-servers.ts'

/**
 * Containers for which something is being made at a service and has no row yet. No other process than our servers makes anything for
 * this cloud, so what is there for a container that is not among these, and in no row, was left by one that died.
 */
export interface Making {
  during<T>(containerId: string, work: () => Promise<T>): Promise<T>
  /** On all servers. */
  now(): Promise<ReadonlySet<string>>
}

export function making(parts: Shared & { readonly store: Pick<Store, 'duties'> }): Making {
  const { servers, store } = parts
  const underWay = new Map<string, number>()
  const count = async (id: string, by: number) => {
    const left = (underWay.get(id) ?? 0) + by
    if (left === 0) underWay.delete(id)
    else underWay.set(id, left)
    if (!servers) return
    const duty = `${id} ${servers.self}`
    if (by > 0) await store.duties.begin('making', duty, servers.self)
    else if (left === 0) await store.duties.end('making', duty)
  }
  return {
    async during(containerId, work) {
      await count(containerId, 1)
      try {
        return await work()
      } finally {
        await count(containerId, -1)
      }
    },
    now: async () => new Set([...underWay.keys(), ...(await begunElsewhere(parts))]),
  }
}
