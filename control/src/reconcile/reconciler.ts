import { limiter, reasonOf } from '@gantry/kernel'
import type { Container, ContainerId, HostFacts, HostId } from '@gantry/model'
import type { HostPlan } from '@gantry/wire'
import type { Deps, Ring } from '../deps.ts'
import type { HostReports } from '../ports/hosts.ts'
import { finishPending } from '../usecases/engine-images/pending-images.ts'
import { endInterrupted } from '../usecases/one-shots.ts'
import { assignmentOf } from './assignment-of.ts'
import { isDue } from './capsule-turn.ts'
import { place } from './placement.ts'
import { createPlans } from './plans.ts'
import { applyObserved, applyStep, loseHost, type ReportDeps } from './reports.ts'

export interface Reconciler extends AsyncDisposable {
  /** Picks up what an earlier process left: call once, before anything is served. */
  recover(): Promise<void>
  readonly ring: (change: Ring) => void
  readonly reports: HostReports
}

/** How often a connected host's sign of life is written down, milliseconds. */
const heartbeatMs = 60_000

/**
 * Carries wishes to hosts and reports back to the store. It holds no truth: everything in here can be lost at any moment
 * and is found again in the store (`recover`) and from the hosts (`connected`).
 */
export function createReconciler(deps: Omit<Deps, 'ring'>): Reconciler {
  const plans = createPlans(deps)
  const full: ReportDeps = { ...deps, ring, plans }
  const waiting = new Set<ContainerId>()
  const timers = new Map<string, NodeJS.Timeout>()
  const turn = limiter(8)
  let closed = false

  function ring(change: Ring): void {
    if (change.kind === 'hosts') for (const id of waiting) placeSoon(id)
    else if (change.kind === 'unplaced' || change.container.hostId === null) {
      placeSoon(change.kind === 'unplaced' ? change.id : change.container.id)
    } else if (change.rewired) sendWithPlans(change.container)
    else send(change.container)
  }

  function placeSoon(id: ContainerId): void {
    if (closed) return
    void turn(() => place(full, id)).then(
      (placed) => {
        waiting.delete(id)
        if (placed.kind === 'placed') for (const container of placed.containers) sendWithPlans(container)
        if (placed.kind === 'waiting') {
          waiting.add(id)
          after(`place ${id}`, Math.max(0, placed.until - deps.clock.now()) + 1, () => placeSoon(id))
        }
        deps.gauges.waiting(waiting.size)
      },
      (error: unknown) => {
        deps.log.error({ container: id, reason: reasonOf(error) }, 'placement failed; trying again')
        after(`place ${id}`, 1000, () => placeSoon(id))
      },
    )
  }

  function send(container: Container): void {
    const { hostId } = container
    if (hostId === null) return
    if (!container.capsule) return assign(hostId, container)
    inBackground(container, async () => {
      for (const member of await dueOf([container])) assign(member.hostId, member)
    })
  }

  /** After the plans that are under way: a change just before this one may have put new ones under the container. */
  function assign(hostId: HostId, container: Container): void {
    plans.afterPlans(hostId, () => deps.links.assign(hostId, assignmentOf(deps, container)))
  }

  /** Its host hears first what it stands on. */
  function sendWithPlans(container: Container): void {
    const { hostId, capsule } = container
    inBackground(container, async () => {
      await plans.tellFor(container, () => {
        if (hostId !== null && !capsule) deps.links.assign(hostId, assignmentOf(deps, container))
      })
      if (capsule) send(container)
    })
  }

  /** A failure here loses nothing: the host's next connection brings everything. */
  function inBackground({ id }: Container, work: () => Promise<void>): void {
    work().catch((error: unknown) => deps.log.error({ container: id, reason: reasonOf(error) }, 'host was not told'))
  }

  /** Those whose turn in their capsule has come; what is in no capsule always has. */
  async function dueOf(containers: readonly Container[]): Promise<(Container & { readonly hostId: HostId })[]> {
    const due: (Container & { readonly hostId: HostId })[] = []
    for (const container of containers) {
      const { capsule, hostId } = container
      if (hostId === null) continue
      const members = capsule ? await deps.store.capsules.members(capsule.capsuleId) : []
      if (isDue(container, members)) due.push({ ...container, hostId })
    }
    return due
  }

  function after(name: string, ms: number, work: () => void): void {
    clearTimeout(timers.get(name))
    if (closed) return
    const timer = setTimeout(() => {
      timers.delete(name)
      work()
    }, ms)
    timer.unref()
    timers.set(name, timer)
  }

  function cancel(name: string): void {
    clearTimeout(timers.get(name))
    timers.delete(name)
  }

  function watchSilence(hostId: HostId): void {
    after(`lost ${hostId}`, deps.policy.hostLostAfterMs, () => {
      if (deps.links.connected(hostId)) return
      deps.log.warn({ host: hostId }, 'host lost')
      void loseHost(full, hostId).catch((error: unknown) => {
        deps.log.error({ host: hostId, reason: reasonOf(error) }, 'could not mark a lost host; trying again')
        watchSilence(hostId)
      })
    })
  }

  /** Writes the sign of life now and then; a store that fails for a moment must not end it, or the server. */
  function beatLater(hostId: HostId): void {
    after(`beat ${hostId}`, heartbeatMs, () => {
      beatLater(hostId)
      void deps.store.hosts.seen(hostId, deps.clock.now()).catch((error: unknown) => {
        deps.log.warn({ host: hostId, reason: reasonOf(error) }, 'sign of life not written')
      })
    })
  }

  const reports: HostReports = {
    async connected(hostId: HostId, facts: HostFacts): Promise<HostPlan> {
      cancel(`lost ${hostId}`)
      const known = await deps.store.hosts.get(hostId)
      const availabilityZone = known?.availabilityZone ?? facts.labels['zone'] ?? 'nova'
      await deps.store.hosts.upsert({ id: hostId, name: facts.hostname, availabilityZone, facts, at: deps.clock.now() })
      beatLater(hostId)
      deps.log.info({ host: hostId, name: facts.hostname }, 'host connected')
      for (const id of waiting) placeSoon(id)
      void finishPending(full, hostId).catch((error: unknown) => {
        deps.log.error({ host: hostId, reason: reasonOf(error) }, 'images left on a host not finished')
      })
      // Before the plans: what is placed meanwhile comes later, with plans of its own.
      const due = await dueOf(await deps.store.containers.ofHost(hostId))
      const plan = await plans.snapshot(hostId)
      return { ...plan, assignments: due.map((container) => assignmentOf(deps, container)) }
    },
    async disconnected(hostId) {
      cancel(`beat ${hostId}`)
      plans.left(hostId)
      deps.log.warn({ host: hostId }, 'host disconnected')
      watchSilence(hostId)
      await deps.store.hosts.seen(hostId, deps.clock.now())
    },
    observed: (hostId, id, observed, gone) => applyObserved(full, hostId, id, observed, gone),
    step: (hostId, report) => applyStep(full, hostId, report),
    volume: async (hostId, report) => deps.volumes.source?.report(hostId, report),
    async engine(hostId, up, reason) {
      if (up) deps.log.info({ host: hostId }, 'engine is back')
      else deps.log.warn({ host: hostId, reason }, 'engine does not answer')
    },
  }

  return {
    ring,
    reports,
    async recover() {
      await endInterrupted(full)
      for (const container of await deps.store.containers.unplaced()) placeSoon(container.id)
      for (const host of await deps.store.hosts.list()) watchSilence(host.id)
    },
    async [Symbol.asyncDispose]() {
      closed = true
      plans.close()
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
