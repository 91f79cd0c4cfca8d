import type { Cluster } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'
import type { Logger } from 'pino'

const everyMs = 2000

/** Where agents reach the living servers, as it is told to them; empty as long as this server is the only one. */
export interface ToldServers extends Disposable {
  readonly addresses: () => readonly string[]
}

/** Looks who lives, again and again; `changed` when that is another list than before. */
export function toldServers(cluster: Pick<Cluster, 'members'>, log: Logger, changed: () => void): ToldServers {
  let known: readonly string[] = []
  let timer: NodeJS.Timeout | undefined
  let ended = false
  const look = async () => {
    const members = await cluster.members()
    const all = members.length > 1 ? members.flatMap(({ agents }) => (agents === null ? [] : [agents])).sort() : []
    if (all.join() === known.join()) return
    known = all
    changed()
  }
  const round = () => {
    look()
      .catch((error: unknown) => log.warn({ reason: reasonOf(error) }, 'the other servers are not known now'))
      .finally(() => {
        if (!ended) timer = setTimeout(round, everyMs).unref()
      })
  }
  round()
  return {
    addresses: () => known,
    [Symbol.dispose]() {
      ended = true
      clearTimeout(timer)
    },
  }
}
