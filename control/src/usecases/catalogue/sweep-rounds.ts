import { setTimeout as sleep } from 'node:timers/promises'
import type { Catalogue } from '../../catalogue.ts'
import type { Cluster } from '../../ports/cluster.ts'

/** Hosts connect and clients go on with their uploads first. Milliseconds. */
const firstAfterMs = 5 * 60_000
const everyMs = 60 * 60_000

/** Sweeps a while after the start, and each hour; one server at a time. */
export function sweepRounds(cluster: Pick<Cluster, 'lead'>, catalogue: Pick<Catalogue, 'sweep'>): { start(): void } {
  return {
    start: () =>
      cluster.lead('sweep of the images', async (signal) => {
        for (let wait = firstAfterMs; ; wait = everyMs) {
          await sleep(wait, undefined, { signal, ref: false })
          await catalogue.sweep(signal)
        }
      }),
  }
}
