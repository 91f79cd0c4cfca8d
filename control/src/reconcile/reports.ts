import type { Container, ContainerId, HostId, Observed } from '@gantry/model'
import { statusOf } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import type { StepReport } from '../ports/hosts.ts'
import type { Tables } from '../ports/store.ts'
import { learnOfPull } from '../usecases/engine-images/image-sizes.ts'
import { forgetContainer } from '../usecases/forget-container.ts'
import { assignmentOf, farewell } from './assignment-of.ts'
import { isDue } from './capsule-turn.ts'
import type { Plans } from './plans.ts'

export type ReportDeps = Deps & { readonly plans: Plans }

/**
 * Writes what an agent saw of one container: the observed state, the status that follows from it, and the end of every
 * action whose wish is settled. A host that reports a container which is elsewhere or gone is told to drop it.
 */
export async function applyObserved(
  deps: ReportDeps,
  hostId: HostId,
  id: ContainerId,
  observed: Observed,
  gone: boolean,
): Promise<void> {
  const change = await deps.store.transaction(async (tables) => {
    const container = await tables.containers.get(id)
    if (!container || container.hostId !== hostId) {
      if (!gone) deps.links.assign(hostId, farewell(id))
      return null
    }
    const before = container
    if (gone) return { before, ...(await forget(deps, tables, container)) }
    return { before, ...(await observe(deps, tables, container, observed)) }
  })
  if (!change) return
  deps.activity.changed(change.before, change.container, change.gone)
  if (change.gone) deps.plans.afterGone(hostId, change.container.mounts)
  // An agent keeps what is to remove itself until it hears that its run was written down.
  const waits = change.firstSeen && change.container.spec.autoRemove
  for (const told of waits ? [...change.due, change.container] : change.due) {
    deps.plans.afterPlans(hostId, () => deps.links.assign(hostId, assignmentOf(deps, told)))
  }
  deps.hub.publish(containerEvent(change.container, deps.clock.now(), change.gone))
}

async function observe(deps: ReportDeps, tables: Tables, container: Container, observed: Observed) {
  const now = deps.clock.now()
  const seenGeneration = Math.max(container.seenGeneration, observed.engine?.generation ?? 0)
  const spec = specInForce(container, observed)
  const seen: Container = { ...container, spec, observed, seenGeneration, hostLost: false, updatedAt: now }
  const view = statusOf(seen)
  const task = observed.settled >= container.wish.version ? null : container.task
  const change = {
    ...(spec === container.spec ? {} : { spec }),
    observed,
    seenGeneration,
    hostLost: false,
    updatedAt: now,
    task,
    status: view.status,
    statusReason: view.reason,
  }
  await tables.containers.update(container.id, change)
  if (observed.settled > container.observed.settled) {
    await settle(deps, tables, container, observed.settled, observed.failure?.reason ?? null)
  }
  const firstSeen = seenGeneration > container.seenGeneration
  const after = { ...seen, ...change }
  return { container: after, gone: false, firstSeen, due: await newlyDue(tables, container, after) }
}

/**
 * Limits that the engine refused are taken back, or they would be counted in the quota and asked for again, in vain, with
 * every later wish. Unless something newer was asked for meanwhile: that will be judged by itself.
 */
function specInForce(container: Container, { engine, settled, failure }: Observed): Container['spec'] {
  const { spec, wish } = container
  if (failure?.step !== 'update' || settled < wish.version || !engine) return spec
  const { cpu, memory } = engine
  return cpu > 0 && memory >= 4 ? { ...spec, cpu, memory } : spec
}

async function forget(deps: ReportDeps, tables: Tables, container: Container) {
  const due = await newlyDue(tables, container, null)
  await forgetContainer(deps, tables, container)
  await settle(deps, tables, container, container.wish.version, null)
  return { container, gone: true, firstSeen: false, due }
}

/** The containers of the same capsule whose turn comes with this change (null: the container goes). */
async function newlyDue(tables: Tables, before: Container, after: Container | null): Promise<Container[]> {
  if (!before.capsule) return []
  const rest = (await tables.capsules.members(before.capsule.capsuleId)).filter(({ id }) => id !== before.id)
  const now = after ? [...rest, after] : rest
  return rest.filter((member) => isDue(member, now) && !isDue(member, [...rest, before]))
}

async function settle(
  deps: Deps,
  tables: Tables,
  container: Container,
  version: number,
  error: string | null,
): Promise<void> {
  const now = deps.clock.now()
  const ended = await tables.actions.finishUpTo(container.id, version, now, error)
  for (const action of ended) deps.gauges.settled(action.name, (now - action.startedAt) / 1000, error !== null)
}

/** Writes a step into the timeline of the action it was taken for. */
export async function applyStep(deps: Deps, hostId: HostId, report: StepReport): Promise<void> {
  deps.gauges.step(report.step, (report.finishedAt - report.startedAt) / 1000, report.error !== null)
  await deps.store.transaction(async (tables) => {
    const action = await tables.actions.forVersion(report.id, report.version)
    if (!action) return
    await tables.actions.addEvent({
      actionId: action.id,
      name: report.step,
      startedAt: report.startedAt,
      finishedAt: report.finishedAt,
      result: report.error === null ? 'Success' : 'Error',
      detail: report.error,
    })
  })
  if (report.step === 'pull' && report.error === null) learnOfPull(deps, hostId, report.id)
  deps.log.info({ host: hostId, container: report.id, step: report.step, failed: report.error !== null }, 'step')
}

/** Every container of a host that fell silent becomes Unknown; one that only waited to be gone is forgotten. */
export async function loseHost(deps: ReportDeps, hostId: HostId): Promise<void> {
  const events = await deps.store.transaction(async (tables) => {
    const changed: { container: Container; gone: boolean }[] = []
    for (const container of await tables.containers.ofHost(hostId)) {
      if (container.wish.gone) {
        changed.push(await forget(deps, tables, container))
        continue
      }
      const lost: Container = { ...container, hostLost: true }
      const view = statusOf(lost)
      const status = { status: view.status, statusReason: view.reason }
      await tables.containers.update(container.id, { hostLost: true, ...status })
      changed.push({ container: { ...lost, ...status }, gone: false })
    }
    return changed
  })
  for (const { container, gone } of events) deps.hub.publish(containerEvent(container, deps.clock.now(), gone))
}
