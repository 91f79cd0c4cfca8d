import type { ContainerId } from '@gantry/model'

/**
 * The generation last seen of containers that have gone, for as long as a server may not have heard of it: without it, a
 * container that removed itself would be made and run once more by an assignment written before its end.
 */
export interface Tombstones {
  add(id: ContainerId, generation: number): void
  generation(id: ContainerId): number
  /** Forgets all but these. */
  keepOnly(ids: ReadonlySet<ContainerId>): void
}

/** Remembers the newest `most`. */
export function tombstones(most: number): Tombstones {
  const stones = new Map<ContainerId, number>()
  return {
    add: (id, generation) => {
      stones.delete(id)
      stones.set(id, generation)
      const oldest = stones.size > most ? stones.keys().next().value : undefined
      if (oldest !== undefined) stones.delete(oldest)
    },
    generation: (id) => stones.get(id) ?? 0,
    keepOnly: (ids) => {
      for (const id of stones.keys()) if (!ids.has(id)) stones.delete(id)
    },
  }
}
