import type { Container, ContainerId, HostId, Observed } from '@gantry/model'
import { statusOf } from '@gantry/model'
import { containerEvent } from '../events/hub.ts'
import type { StepReport } from '../ports/hosts.ts'
import { type ActionEnd, hostLock, projectLock, type Seen, type Tables } from '../ports/store.ts'
import { learnOfPull } from '../usecases/engine-images/image-sizes.ts'
import { displace, ringDisplaced } from '../usecases/move-container.ts'
import { assignmentOf, farewell } from './assignment-of.ts'
import type { KnownProjects } from './known-projects.ts'
import { forget, newlyDue, type ReportDeps, specInForce } from './reports.ts'

/** What an agent saw of one container. */
export interface Sighting {
  readonly kind: 'observed'
  readonly hostId: HostId
  /** The host's session in which it came. */
  readonly session: number
  readonly id: ContainerId
  readonly observed: Observed
  readonly gone: boolean
}

export interface StepTaken extends StepReport {
  readonly kind: 'step'
  readonly hostId: HostId
}

export type Report = Sighting | StepTaken

/**
 * Writes reports of any hosts in one transaction, in their order: the observed state, the status that follows from it, the end of
 * every action whose wish is settled, and the steps. What follows from them is told after the commit. A host that reports a container
 * which is elsewhere or gone is told to drop it.
 */
export async function applyReports(
  deps: ReportDeps,
  reports: readonly Report[],
  known: Pick<KnownProjects, 'of'>,
): Promise<void> {
  const projects = await known.of([...new Set(reports.map(({ id }) => id))])
  const [first] = reports
  if (!first) return
  // Never without a lock: that would be one for all.
  const locks = projects.size === 0 ? [hostLock(first.hostId)] : [...projects].map(projectLock)
  const batch = await deps.store.transaction(async (tables) => {
    const work = new ReportBatch(deps, tables)
    await work.apply(reports)
    return work
  }, locks)
  for (const tell of batch.told) tell()
}

/** The reports of one transaction, which all see each other. */
class ReportBatch {
  /** What is to be told once it is written. */
  readonly told: (() => void)[] = []
  readonly #deps: ReportDeps
  readonly #tables: Tables
  /** As they are by now; what is not written yet is in `#seen` and `#ends` too. */
  readonly #now = new Map<ContainerId, Container>()
  #seen = new Map<ContainerId, Seen>()
  #ends = new Map<ContainerId, ActionEnd>()

  constructor(deps: ReportDeps, tables: Tables) {
    this.#deps = deps
    this.#tables = tables
  }

  async apply(reports: readonly Report[]): Promise<void> {
    const sightings = reports.filter((report) => report.kind === 'observed')
    const fresh = await this.#fresh(sightings)
    for (const container of await this.#tables.containers.getMany([...new Set(fresh.map(({ id }) => id))])) {
      this.#now.set(container.id, container)
    }
    for (const sighting of fresh) await this.#take(sighting)
    await this.#write()
    await this.#writeSteps(reports.filter((report) => report.kind === 'step'))
    const count = sightings.length
    this.told.push(() => this.#deps.gauges.reported?.(count))
  }

  /** Without what came in sessions that have ended: the host may have gone to another server, and said more there since. */
  async #fresh(sightings: readonly Sighting[]): Promise<Sighting[]> {
    const newest = new Map(sightings.map(({ hostId, session }) => [hostId, { hostId, session }]))
    const current = await this.#deps.sessions.current(this.#tables, [...newest.values()])
    return sightings.filter(({ hostId, session }) => current.has(hostId) && newest.get(hostId)?.session === session)
  }

  async #take(sighting: Sighting): Promise<void> {
    const { hostId, id, gone } = sighting
    const container = this.#now.get(id)
    if (!container || container.hostId !== hostId) {
      if (!gone) this.told.push(() => this.#deps.links.assign(hostId, farewell(id)))
    } else if (gone && container.moving && !container.wish.gone) await this.#leave(container)
    else if (gone) await this.#forget(container)
    else await this.#observe(container, sighting.observed)
  }

  async #observe(container: Container, observed: Observed): Promise<void> {
    const now = this.#deps.clock.now()
    const seenGeneration = Math.max(container.seenGeneration, observed.engine?.generation ?? 0)
    const spec = specInForce(container, observed)
    const seen: Container = { ...container, spec, observed, seenGeneration, hostLost: false, updatedAt: now }
    const { status, reason } = statusOf(seen)
    const task = observed.settled >= container.wish.version ? null : container.task
    const change = { observed, seenGeneration, hostLost: false, updatedAt: now, task, status, statusReason: reason }
    const after: Container = { ...seen, ...change }
    if (isSame(container, after)) return
    if (spec !== container.spec) await this.#tables.containers.update(container.id, { spec })
    if (observed.settled > container.observed.settled) {
      await this.#end(container, observed.settled, observed.failure?.reason ?? null)
    }
    this.#seen.set(container.id, { id: container.id, ...change })
    this.#now.set(container.id, after)
    // Whose turn it is depends on what is written of the others.
    if (container.capsule) await this.#write()
    const firstSeen = seenGeneration > container.seenGeneration
    const due = await newlyDue(this.#tables, container, after)
    // An agent keeps what is to remove itself until it hears that its run was written down.
    this.#tell(container, after, firstSeen && after.spec.autoRemove ? [...due, after] : due)
  }

  /** Its old host has let go of it; the last of a capsule brings all to where they are placed anew. */
  async #leave(container: Container): Promise<void> {
    const tables = this.#tables
    await this.#write()
    const moving = container.moving ? { ...container.moving, left: true } : null
    const left: Container = { ...container, moving }
    await tables.containers.update(left.id, { moving })
    const due = await newlyDue(tables, container, left)
    const { capsule } = container
    const together = capsule ? await tables.capsules.members(capsule.capsuleId) : [left]
    const displaced = together.every((one) => one.moving?.left) ? await displace(this.#deps, tables, together) : []
    for (const one of displaced) if (this.#now.has(one.id)) this.#now.set(one.id, one)
    const after = displaced.find(({ id }) => id === left.id) ?? left
    this.#now.set(left.id, after)
    this.#tell(container, after, due, { wentFrom: container.hostId })
    this.told.push(() => ringDisplaced(this.#deps, displaced))
  }

  async #forget(container: Container): Promise<void> {
    await this.#write()
    const due = await newlyDue(this.#tables, container, null)
    await forget(this.#deps, this.#tables, container)
    this.#now.delete(container.id)
    this.#tell(container, container, due, { wentFrom: container.hostId, gone: true })
  }

  #tell(
    before: Container,
    after: Container,
    due: readonly Container[],
    { wentFrom = null, gone = false }: { readonly wentFrom?: HostId | null; readonly gone?: boolean } = {},
  ): void {
    const { activity, plans, links, hub, clock } = this.#deps
    this.told.push(() => {
      activity.changed(before, after, gone)
      if (wentFrom !== null) plans.afterGone(wentFrom, after.mounts)
      const hostId = before.hostId as HostId
      for (const one of due) plans.afterPlans(hostId, () => links.assign(hostId, assignmentOf(this.#deps, one)))
      hub.publish(containerEvent(after, clock.now(), gone))
    })
  }

  async #end({ id }: Container, version: number, error: string | null): Promise<void> {
    // An earlier wish may have ended otherwise.
    if (this.#ends.has(id)) await this.#write()
    this.#ends.set(id, { containerId: id, version, at: this.#deps.clock.now(), error })
  }

  async #write(): Promise<void> {
    const [seen, ends] = [[...this.#seen.values()], [...this.#ends.values()]]
    this.#seen = new Map()
    this.#ends = new Map()
    if (seen.length > 0) await this.#tables.containers.observe(seen)
    if (ends.length === 0) return
    for (const { name, startedAt, finishedAt, error } of await this.#tables.actions.finishMany(ends)) {
      const seconds = ((finishedAt ?? startedAt) - startedAt) / 1000
      this.told.push(() => this.#deps.gauges.settled(name, seconds, error !== null))
    }
  }

  /** Each into the timeline of the action it was taken for. */
  async #writeSteps(steps: readonly StepTaken[]): Promise<void> {
    if (steps.length === 0) return
    const { actions } = this.#tables
    const ids = await actions.forVersions(steps.map(({ id, version }) => ({ containerId: id, version })))
    const events = steps.flatMap(({ step, startedAt, finishedAt, error }, index) => {
      const actionId = ids[index]
      const result = error === null ? ('Success' as const) : ('Error' as const)
      return actionId ? [{ actionId, name: step, startedAt, finishedAt, result, detail: error }] : []
    })
    if (events.length > 0) await actions.addEvents(events)
    for (const step of steps) this.told.push(() => this.#tellStep(step))
  }

  #tellStep({ hostId, id, step, startedAt, finishedAt, error }: StepTaken): void {
    const { gauges, log } = this.#deps
    gauges.step(step, (finishedAt - startedAt) / 1000, error !== null)
    if (step === 'pull' && error === null) learnOfPull(this.#deps, hostId, id)
    log.info({ host: hostId, container: id, step, failed: error !== null }, 'step')
  }
}

/** It says what is known already, as each container of a host does that comes back. */
function isSame(before: Container, after: Container): boolean {
  if (before.hostLost || before.spec !== after.spec || before.seenGeneration !== after.seenGeneration) return false
  if (before.status !== after.status || before.statusReason !== after.statusReason || before.task !== after.task) {
    return false
  }
  return JSON.stringify(before.observed) === JSON.stringify(after.observed)
}
