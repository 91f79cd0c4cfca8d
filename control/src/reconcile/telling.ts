import { limiter, reasonOf } from '@gantry/kernel'
import type { Container, ContainerId, HostId } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { assignmentOf } from './assignment-of.ts'
import { isDue } from './capsule-turn.ts'
import type { Plans } from './plans.ts'

/** Tells hosts how their containers should be: those that hang here at once, others through the server they hang on. */
export interface Telling {
  /** A container's wish changed. */
  send(container: Container): void
  /** Its interfaces or volumes too, or its host is new: that hears first what it stands on. */
  sendWithPlans(container: Container): void
  /** Everything that this host may not have heard, because a server died or a line broke. */
  resync(hostId: HostId): void
  /** Of these the ones whose turn in their capsule has come; what is in no capsule always has. */
  dueOf(containers: readonly Container[]): Promise<(Container & { readonly hostId: HostId })[]>
}

type Parts = Pick<Deps, 'store' | 'links' | 'sessions' | 'cluster' | 'secrets' | 'catalogue' | 'log'> & {
  readonly plans: Plans
}

/** Wishes told by other servers, and hosts told everything again, at once. */
const width = 4

export function createTelling(deps: Parts): Telling {
  const { plans, sessions, cluster, store } = deps
  const looking = limiter(width)

  const whole = (container: Container) => deps.links.assign(container.hostId as HostId, assignmentOf(deps, container))
  /** After the plans that are under way: a change just before this one may have put new ones under the container. */
  const assign = (hostId: HostId, container: Container) => plans.afterPlans(hostId, () => whole(container))

  /** A failure here loses nothing: the host's next connection brings everything. */
  const inBackground = ({ id }: { readonly id: string }, work: () => Promise<void>): void => {
    work().catch((error: unknown) => deps.log.error({ id, reason: reasonOf(error) }, 'host was not told'))
  }

  const isElsewhere = ({ id, hostId }: Container, rewired: boolean): boolean => {
    if (hostId === null || sessions.held(hostId) !== null) return false
    cluster.tell({ kind: 'wish', id, hostId, rewired })
    return sessions.elsewhere(hostId) !== null
  }

  const dueOf: Telling['dueOf'] = async (containers) => {
    const due: (Container & { readonly hostId: HostId })[] = []
    for (const container of containers) {
      const { capsule, hostId } = container
      if (hostId === null) continue
      const members = capsule ? await store.capsules.members(capsule.capsuleId) : []
      if (isDue(container, members)) due.push({ ...container, hostId })
    }
    return due
  }
  const sendHere = (container: Container): void => {
    const { hostId } = container
    if (hostId === null) return
    if (!container.capsule) return assign(hostId, container)
    inBackground(container, async () => {
      for (const member of await dueOf([container])) assign(member.hostId, member)
    })
  }
  const sendWithPlansHere = (container: Container): void => {
    const { hostId, capsule } = container
    inBackground(container, async () => {
      await plans.tellFor(container, () => {
        if (hostId !== null && !capsule) whole(container)
      })
      if (capsule) sendHere(container)
    })
  }

  /** What others told of within one turn of the event loop is read together. */
  let heard = new Map<ContainerId, { readonly hostId: HostId; readonly rewired: boolean }>()
  const lookAtHeard = async (): Promise<void> => {
    const wishes = heard
    heard = new Map()
    for (const container of await store.containers.getMany([...wishes.keys()])) {
      const wish = wishes.get(container.id)
      if (container.hostId !== wish?.hostId) continue
      if (wish.rewired) sendWithPlansHere(container)
      else sendHere(container)
    }
  }
  cluster.onNote((note) => {
    if (note.kind === 'resync' && sessions.held(note.hostId) !== null) resync(note.hostId)
    if (note.kind !== 'wish' || sessions.held(note.hostId) === null) return
    if (heard.size === 0) setImmediate(() => inBackground({ id: 'wishes' }, () => looking(lookAtHeard)))
    const before = heard.get(note.id)
    heard.set(note.id, { hostId: note.hostId, rewired: note.rewired || before?.rewired === true })
  })

  const resync = (hostId: HostId): void =>
    inBackground({ id: hostId }, () =>
      looking(async () => {
        await plans.refresh(hostId)
        for (const container of await store.containers.ofHost(hostId)) {
          if (container.wish.version > container.observed.settled || container.capsule) sendHere(container)
        }
      }),
    )

  return {
    send: (container) => void (isElsewhere(container, false) || sendHere(container)),
    sendWithPlans: (container) => void (isElsewhere(container, true) || sendWithPlansHere(container)),
    resync,
    dueOf,
  }
}
