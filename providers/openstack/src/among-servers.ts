import type { Cluster, Store } from '@gantry/control'
import { type Turns, turns } from '@gantry/kernel'

/** The servers that work beside this one at the same services; absent: there are none. */
export type OtherServers = Pick<Cluster, 'self' | 'members' | 'inTurn' | 'ifFree' | 'onLost'>

export interface Shared {
  readonly servers?: OtherServers
}

/** As `turns`, among all servers. `name`: what takes turns. */
export function sharedTurns({ servers }: Shared, name: string): Turns {
  const here = turns()
  if (!servers) return here
  return { take: (key, work) => here.take(key, () => servers.inTurn(`${name} ${key}`, work)) }
}

/** Runs it when no other server does. */
export function inTurn<T>({ servers }: Shared, name: string, work: () => Promise<T>): Promise<T> {
  return servers ? servers.inTurn(name, work) : work()
}

/** What all servers have begun of a kind: each says so before, and takes it back afterwards. */
export async function begunElsewhere({ servers, store }: Shared & { readonly store: Pick<Store, 'duties'> }) {
  if (!servers) return new Set<string>()
  const alive = (await servers.members()).map(({ id }) => id)
  return new Set([...(await store.duties.heldBy('making', alive))].map((id) => id.split(' ')[0] ?? ''))
}
