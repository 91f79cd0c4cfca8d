import { limiter, reasonOf } from '@gantry/kernel'
import type { HostFacts, HostId } from '@gantry/model'
import type { HostPlan } from '@gantry/wire'
import type { Deps, Ring } from '../deps.ts'
import type { HostReports } from '../ports/hosts.ts'
import { finishPending } from '../usecases/engine-images/pending-images.ts'
import { endInterrupted } from '../usecases/one-shots.ts'
import { assignmentOf } from './assignment-of.ts'
import { knownProjects } from './known-projects.ts'
import { createPlacer } from './placer.ts'
import { createPlans } from './plans.ts'
import { createTelling } from './telling.ts'
import { applyGone } from './leaving.ts'
import { applyReports } from './report-batch.ts'
import { createReportQueue } from './report-queue.ts'
import { loseHost, type ReportDeps } from './reports.ts'

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
  const telling = createTelling(full)
  const timers = new Map<string, NodeJS.Timeout>()
  const placer = createPlacer(full, (placed) => {
    for (const container of placed) telling.sendWithPlans(container)
  })
  const projects = knownProjects(deps.store.containers)
  const queue = createReportQueue((reports) => applyReports(full, reports, projects), deps.log)
  /** Hosts that come back all at once have more urgent things to do. */
  const cautiously = limiter(4)
  const ending = new AbortController()
  let closed = false

  function ring(change: Ring): void {
    if (change.kind === 'hosts') hostsChanged()
    else if (change.kind === 'unplaced') {
      projects.note(change.id, change.projectId)
      placer.soon(change)
    } else if (change.container.hostId === null) placer.soon(change.container)
    else if (change.rewired) telling.sendWithPlans(change.container)
    else telling.send(change.container)
  }

  function hostsChanged(): void {
    placer.retry()
    deps.cluster.tell({ kind: 'hosts' })
  }

  deps.cluster.onNote((note) => {
    if (note.kind === 'hosts' || (note.kind === 'session' && note.serverId !== null)) placer.retry()
  })
  deps.sessions.onWhere((hostId, hangs) => {
    if (hangs) cancel(`lost ${hostId}`)
    else if (!timers.has(`lost ${hostId}`)) watchSilence(hostId)
  })
  deps.cluster.onMissed(() => lookAnewSoon())
  deps.cluster.onLost(async (id) => {
    await deps.store.sessions.closeOf(id, deps.clock.now())
    await endInterrupted(full)
  })

  /** Of servers that ended while none was there to see it. */
  async function endLeftSessions(): Promise<void> {
    const alive = new Set((await deps.cluster.members()).map(({ id }) => id))
    for (const { hostId, serverId, number } of await deps.store.sessions.list()) {
      const isLeft =
        serverId === deps.cluster.self ? deps.sessions.held(hostId) !== number : serverId && !alive.has(serverId)
      if (isLeft) await deps.store.sessions.close(hostId, number, deps.clock.now())
    }
  }

  /** What other servers told, or would have told, may be lost: everything that hangs here is told everything, and what waits is placed. */
  async function lookAnew(): Promise<void> {
    await deps.sessions.reload()
    for (const { id } of await deps.store.hosts.list()) if (deps.sessions.held(id) !== null) telling.resync(id)
    for (const container of await deps.store.containers.unplaced()) placer.soon(container)
    await deps.hub.missed((id) => deps.store.containers.get(id))
  }

  function lookAnewSoon(): void {
    after('look anew', 0, () => {
      lookAnew().catch((error: unknown) => {
        deps.log.error({ reason: reasonOf(error) }, 'could not look at everything anew; trying again')
        after('look anew', 1000, lookAnewSoon)
      })
    })
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
    async connected(hostId: HostId, facts: HostFacts, holds?: string): Promise<HostPlan> {
      cancel(`lost ${hostId}`)
      await deps.sessions.open(hostId)
      const availabilityZone = facts.labels['zone'] ?? 'nova'
      await deps.store.hosts.upsert({ id: hostId, name: facts.hostname, availabilityZone, facts, at: deps.clock.now() })
      beatLater(hostId)
      deps.supply?.wake()
      placer.retry()
      void finishPending(full, hostId).catch((error: unknown) => {
        deps.log.error({ host: hostId, reason: reasonOf(error) }, 'images left on a host not finished')
      })
      // Before the plans: what is placed meanwhile comes later, with plans of its own.
      const { containers } = deps.store
      const kept = holds !== undefined && holds === (await containers.holdings(hostId))
      deps.log.info({ host: hostId, name: facts.hostname, kept }, 'host connected')
      const due = kept ? [] : await telling.dueOf(await containers.ofHost(hostId))
      const plan = await plans.snapshot(hostId)
      return { ...plan, assignments: due.map((container) => assignmentOf(deps, container)), kept }
    },
    async disconnected(hostId) {
      cancel(`beat ${hostId}`)
      plans.left(hostId)
      deps.log.warn({ host: hostId }, 'host disconnected')
      await deps.sessions.close(hostId)
      await deps.store.hosts.seen(hostId, deps.clock.now())
    },
    async observed(hostId, id, observed, gone) {
      const session = deps.sessions.held(hostId)
      if (session === null) return
      const write = () => queue.add({ kind: 'observed', hostId, session, id, observed, gone })
      await (gone ? applyGone(full, hostId, id, write) : write())
    },
    step: (hostId, report) => queue.add({ kind: 'step', hostId, ...report }),
    volume: async (hostId, report) => deps.volumes.source?.report(hostId, report),
    async engine(hostId, up, reason) {
      if (!up) return deps.log.warn({ host: hostId, reason }, 'engine does not answer')
      deps.log.info({ host: hostId }, 'engine is back')
      void cautiously(() => deps.catalogue.tellHost(hostId, ending.signal)).catch((error: unknown) => {
        if (!closed)
          deps.log.error({ host: hostId, reason: reasonOf(error) }, 'host was not told which images are gone')
      })
    },
  }

  return {
    ring,
    reports,
    async recover() {
      await endLeftSessions()
      await deps.sessions.reload()
      await endInterrupted(full)
      for (const container of await deps.store.containers.unplaced()) placer.soon(container)
    },
    async [Symbol.asyncDispose]() {
      closed = true
      ending.abort(new Error('the server is closing'))
      plans.close()
      placer.close()
      queue.close()
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
