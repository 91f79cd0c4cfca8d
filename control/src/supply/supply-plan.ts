import { Fault } from '@gantry/kernel'
import type { Container, HostId, InstanceId, ProjectId } from '@gantry/model'
import { containerEvent } from '../events/hub.ts'
import type { InstanceSize } from '../ports/compute.ts'
import type { Instance } from '../ports/instance-table.ts'
import { placementLock, type Tables } from '../ports/store.ts'
import { fleetIn, needOf, neighboursIn } from '../reconcile/fleet-of-store.ts'
import { architecturesOf } from '../reconcile/made-for.ts'
import { fail } from '../reconcile/placement.ts'
import type { Fleet } from '../scheduling/fleet.ts'
import type { Need } from '../scheduling/filters.ts'
import { imaginedFleet } from './imagined-fleet.ts'
import { hostOf, updateStates } from './instance-states.ts'
import type { SupplyParts } from './supply-parts.ts'

export interface SupplyPlan {
  readonly instances: readonly Instance[]
  /** When there is something to do again even if nothing happens; infinity: never. */
  readonly dueAt: number
}

/**
 * Writes down which instances there have to be: rows for those that are wanted, with what is booting already counted; a farewell
 * for those that are idle for too long; and for containers that none will ever help, why. In turn with placement, so that what
 * is placed meanwhile is neither counted twice nor loses its host.
 */
export async function planSupply(parts: SupplyParts, size: InstanceSize): Promise<SupplyPlan> {
  const { plan, failed } = await parts.store.transaction(
    async (tables) => {
      const states = await updateStates(parts, tables)
      const ordering = new Ordering(parts, tables, size, states.instances)
      for (const leader of await tables.containers.unplaced()) await ordering.consider(leader)
      for (const { id } of states.idle) {
        if (ordering.chosen.has(id)) continue
        await tables.instances.update(id, { state: 'reaping', since: parts.clock.now(), idleSince: null })
      }
      const dueAt = Math.min(states.dueAt, ordering.againAt)
      return { plan: { instances: await tables.instances.list(), dueAt }, failed: ordering.failed }
    },
    [placementLock],
  )
  for (const container of failed) parts.hub.publish(containerEvent(container, container.updatedAt))
  return plan
}

/** What is there and to come for one project, or for all. */
interface Line {
  readonly fleet: Fleet
  readonly booting: ReadonlySet<HostId>
  /** Those of the ones that could be made that are wanted by now. */
  readonly ordered: Set<HostId>
  readonly failures: readonly Instance[]
}

class Ordering {
  readonly failed: Container[] = []
  /** Hosts on which those that wait will be. */
  readonly chosen = new Set<string>()
  /** When an attempt may be made that may not be made yet. */
  againAt = Number.POSITIVE_INFINITY
  readonly #parts: SupplyParts
  readonly #tables: Tables
  readonly #size: InstanceSize
  readonly #instances: readonly Instance[]
  readonly #lines = new Map<ProjectId | null, Line>()
  #hosts: Fleet | null = null
  #room: number

  constructor(parts: SupplyParts, tables: Tables, size: InstanceSize, instances: readonly Instance[]) {
    this.#parts = parts
    this.#tables = tables
    this.#size = size
    this.#instances = instances
    this.#room = parts.demand.policy.most - instances.filter(({ state }) => state !== 'failed').length
  }

  async consider(leader: Container): Promise<void> {
    if (leader.wish.gone) return
    const { capsule } = leader
    const together = capsule ? await this.#tables.capsules.members(capsule.capsuleId) : [leader]
    const need = await this.#needOf(leader, together)
    if (need === null) return
    this.#hosts ??= await fleetIn(this.#parts, this.#tables)
    const here = this.#hosts.choose(need)
    // Placement finds it too.
    if (here.kind === 'chosen') {
      this.chosen.add(here.host.id)
      return
    }
    const problem = await this.#order(leader, need)
    if (problem === null) return
    const { message } = new Fault('placement.no-host', {
      reasons: `${here.reasons}; on demand: ${problem.replace(/\.+$/, '')}`,
    })
    const result = await fail(this.#parts, this.#tables, together, message)
    if (result.kind === 'failed') this.failed.push(...result.containers)
  }

  /** Counts on an instance for it; answers why there will be none. */
  async #order(leader: Container, need: Need): Promise<string | null> {
    const line = this.#lineOf(this.#parts.demand.policy.shared ? null : leader.projectId)
    const choice = line.fleet.choose(need)
    if (choice.kind === 'none')
      return this.#room <= 0 ? this.#isFull() : `a new instance would be ${whyOne(choice.reasons)}`
    const { id } = choice.host
    if (line.booting.has(id) || line.ordered.has(id)) return null
    const { attempts, retryMs } = this.#parts.demand.policy
    const against = line.failures.filter(({ since }) => since >= leader.updatedAt)
    const last = against.at(-1)
    if (last && (last.refused || against.length >= attempts)) return last.reason
    const latest = line.failures.at(-1)
    const mayAt = latest && last ? latest.since + retryMs * 2 ** (line.failures.length - 1) : 0
    const now = this.#parts.clock.now()
    if (mayAt > now) this.againAt = Math.min(this.againAt, mayAt)
    else if (this.#room <= 0) return this.#isFull()
    else await this.#write(id, line, leader.projectId)
    return null
  }

  #isFull(): string {
    return `there are ${this.#parts.demand.policy.most} instances, which is the most`
  }

  async #write(id: HostId, line: Line, projectId: ProjectId): Promise<void> {
    const now = this.#parts.clock.now()
    line.ordered.add(id)
    this.#room -= 1
    await this.#tables.instances.insert({
      id: id as string as InstanceId,
      name: `gantry-${id.slice(0, 8)}`,
      state: 'wanted',
      projectId: this.#parts.demand.policy.shared ? null : projectId,
      providerId: null,
      tokenId: null,
      reason: null,
      refused: false,
      createdAt: now,
      since: now,
      idleSince: null,
    })
  }

  #lineOf(scope: ProjectId | null): Line {
    const known = this.#lines.get(scope)
    if (known) return known
    const { policy, ids, demand } = this.#parts
    const own = this.#instances.filter(({ projectId }) => projectId === scope)
    const booting = own.filter(({ state }) => state === 'wanted' || state === 'booting').map(hostOf)
    // As many as could be needed; which of them are wanted shows when all have been considered.
    const further = Array.from({ length: Math.max(0, this.#room) }, () => ids.uuid() as HostId)
    const line: Line = {
      fleet: imaginedFleet([...booting, ...further], scope, { size: this.#size, policy, supply: demand.policy }),
      booting: new Set(booting),
      ordered: new Set(),
      failures: own.filter(({ state, reason }) => state === 'failed' || (state === 'reaping' && reason !== null)),
    }
    this.#lines.set(scope, line)
    return line
  }

  /** null: its own rules cannot be read, of which placement tells it. */
  async #needOf(leader: Container, together: readonly Container[]): Promise<Need | null> {
    const tables = this.#tables
    const mounts = together.flatMap((container) => container.mounts)
    const isVolume = mounts.some(({ kind }) => kind === 'volume')
    try {
      const volumesOn = isVolume ? await this.#parts.volumes.hostOf(tables, mounts) : null
      const architectures = await architecturesOf(tables, together)
      const where = { volumesOn, architectures, leaves: leader.moving?.from ?? null }
      return await needOf(leader, together, where, () => neighboursIn(tables, leader.projectId))
    } catch (error) {
      if (error instanceof Fault) return null
      throw error
    }
  }
}

/** All that could be made are alike: "3 of 3 are out of cores" says it of one. */
function whyOne(reasons: string): string {
  return reasons.replace(/^\d+ of \d+ (is|are) /, '')
}
