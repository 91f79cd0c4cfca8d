import type { Container, HostId, Observed } from '@gantry/model'
import { statusOf } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import type { Tables } from '../ports/store.ts'
import { forgetContainer } from '../usecases/forget-container.ts'
import { isDue } from './capsule-turn.ts'
import type { Plans } from './plans.ts'

export type ReportDeps = Deps & { readonly plans: Plans }

/**
 * Limits that the engine refused are taken back, or they would be counted in the quota and asked for again, in vain, with
 * every later wish. Unless something newer was asked for meanwhile: that will be judged by itself.
 */
export function specInForce(container: Container, { engine, settled, failure }: Observed): Container['spec'] {
  const { spec, wish } = container
  if (failure?.step !== 'update' || settled < wish.version || !engine) return spec
  const { cpu, memory } = engine
  return cpu > 0 && memory >= 4 ? { ...spec, cpu, memory } : spec
}

/** Takes a container out of the store, with the end of what was asked of it. */
export async function forget(deps: ReportDeps, tables: Tables, container: Container): Promise<void> {
  await forgetContainer(deps, tables, container)
  const now = deps.clock.now()
  for (const action of await tables.actions.finishUpTo(container.id, container.wish.version, now, null)) {
    deps.gauges.settled(action.name, (now - action.startedAt) / 1000, false)
  }
}

/** The containers of the same capsule whose turn comes with this change (null: the container goes). */
export async function newlyDue(tables: Tables, before: Container, after: Container | null): Promise<Container[]> {
  if (!before.capsule) return []
  const rest = (await tables.capsules.members(before.capsule.capsuleId)).filter(({ id }) => id !== before.id)
  const now = after ? [...rest, after] : rest
  return rest.filter((member) => isDue(member, now) && !isDue(member, [...rest, before]))
}

/**
 * Every container of a host that fell silent becomes Unknown; one that only waited to be gone is forgotten. One that is moving
 * stays as well: only who knows that the machine is off may say that it runs there no more.
 */
export async function loseHost(deps: ReportDeps, hostId: HostId): Promise<void> {
  const events = await deps.store.transaction(async (tables) => {
    const changed: { container: Container; gone: boolean }[] = []
    // It has come back, or another server was faster.
    if (!(await tables.sessions.lose(hostId))) return changed
    for (const container of await tables.containers.ofHost(hostId)) {
      if (container.wish.gone) {
        await forget(deps, tables, container)
        changed.push({ container, gone: true })
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
