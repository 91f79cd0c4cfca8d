import type { Clock } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import type { Cluster } from '../ports/cluster.ts'
import type { HostSessions } from '../ports/host-sessions.ts'
import type { HostSession } from '../ports/session-table.ts'
import type { Store } from '../ports/store.ts'

export interface SessionParts {
  readonly store: Pick<Store, 'sessions'>
  readonly cluster: Cluster
  readonly clock: Clock
}

type Known = Pick<HostSession, 'serverId' | 'number'>

/** Keeps in memory where hosts hang, as notes tell it; the rows are the truth, and only they are asked before something is written. */
export function hostSessions({ store, cluster, clock }: SessionParts): HostSessions {
  const { self } = cluster
  const here = new Map<HostId, number>()
  const known = new Map<HostId, Known>()
  const moved: ((hostId: HostId) => void)[] = []
  const whereHeard: ((hostId: HostId, hangs: boolean) => void)[] = []

  const learn = (hostId: HostId, news: Known): void => {
    const before = known.get(hostId)
    const isOld = before && (news.number < before.number || (news.number === before.number && before.serverId === null))
    if (isOld) return
    known.set(hostId, news)
    for (const heard of whereHeard) heard(hostId, news.serverId !== null)
    const mine = here.get(hostId)
    if (mine === undefined || mine >= news.number) return
    here.delete(hostId)
    // What was written to the old connection since the new session began may be lost with it.
    cluster.tell({ kind: 'resync', hostId })
    for (const heard of moved) heard(hostId)
  }
  const tell = (hostId: HostId, { serverId, number }: Known): void => {
    learn(hostId, { serverId, number })
    cluster.tell({ kind: 'session', hostId, serverId, number })
  }
  cluster.onNote((note) => {
    if (note.kind === 'session') learn(note.hostId, note)
  })

  return {
    async open(hostId) {
      const session = here.get(hostId)
      if (session !== undefined) {
        if ((await store.sessions.current([{ hostId, session }])).length > 0) return
        here.delete(hostId)
        throw new Error('the host has gone to another server')
      }
      const number = await store.sessions.open(hostId, self, clock.now())
      here.set(hostId, number)
      tell(hostId, { serverId: self, number })
    },
    async close(hostId) {
      const number = here.get(hostId)
      if (number === undefined) return
      here.delete(hostId)
      tell(hostId, { serverId: null, number })
      await store.sessions.close(hostId, number, clock.now())
    },
    held: (hostId) => here.get(hostId) ?? null,
    current: async (tables, sessions) => new Set(await tables.sessions.current(sessions)),
    elsewhere(hostId) {
      const serverId = known.get(hostId)?.serverId ?? null
      return serverId === self ? null : serverId
    },
    countElsewhere: () => [...known.values()].filter(({ serverId }) => serverId !== null && serverId !== self).length,
    onMoved: (heard) => void moved.push(heard),
    onWhere: (heard) => void whereHeard.push(heard),
    async reload() {
      for (const { hostId, serverId, number } of await store.sessions.list()) {
        // Of an earlier process with our name, or ended by others who took us for dead.
        const isLeft = serverId === self && here.get(hostId) !== number
        const before = known.get(hostId)
        if (before && before.number === number && before.serverId === serverId) {
          for (const heard of whereHeard) heard(hostId, serverId !== null)
          continue
        }
        if (here.get(hostId) === number && serverId !== self) {
          here.delete(hostId)
          for (const heard of moved) heard(hostId)
        }
        learn(hostId, { serverId: isLeft ? null : serverId, number })
      }
    },
  }
}
