import type { Host, HostId, HostUsage } from '@gantry/model'
import type { Policy } from '../deps.ts'
import { type Candidate, filters, isAskedFor, type Need, roomFilters } from './filters.ts'
import { Heap } from './heap.ts'
import { type Limits, limitsOf } from './limits.ts'

export type Choice =
  | { readonly kind: 'chosen'; readonly host: Host }
  | { readonly kind: 'none'; readonly reasons: string }

/** One host, with what is promised there as choices are made. */
interface Slot extends Candidate {
  /** Oldest host first. */
  readonly order: number
  readonly limits: Limits
  used: HostUsage
}

/** All needs that are alike see the hosts alike, and each choice only makes hosts fuller. */
interface Group {
  /** Fill: those that pass the filters, oldest first. Those before `next` are full. */
  readonly line: readonly Slot[]
  next: number
  /** Spread: the same by load as it was when each was put in. */
  readonly heap: Heap<Slot>
  /** Once none fits, none will. */
  reasons: string | null
}

/**
 * Chooses hosts for containers one after the other and counts what it has promised. *Spread* takes the least loaded host,
 * *fill* the oldest that has room. Alike needs share one look at all hosts, so that a choice costs O(log hosts). Uses no clock
 * and no randomness: the same hosts and needs give the same choices.
 */
export class Fleet {
  readonly #slots: readonly Slot[]
  readonly #byId: ReadonlyMap<HostId, Slot>
  readonly #groups = new Map<string, Group>()
  readonly #fills: boolean
  /** Some host is for one project. */
  readonly #isDivided: boolean

  /** `candidates`: oldest first. */
  constructor(candidates: readonly Candidate[], policy: Policy) {
    this.#slots = candidates.map((candidate, order) => ({
      ...candidate,
      order,
      limits: limitsOf(candidate.host, policy),
      used: candidate.host.used,
    }))
    this.#byId = new Map(this.#slots.map((slot) => [slot.host.id, slot]))
    this.#fills = policy.placement === 'fill'
    this.#isDivided = candidates.some(({ made }) => (made?.projectId ?? null) !== null)
  }

  /** Some host is up. */
  get isUp(): boolean {
    return this.#slots.some(({ up }) => up)
  }

  /**
   * The host for one need, whose resources are claimed here. `liked` are hosts that would start it sooner: one of them is taken
   * if it is not much fuller than the best. When none passes, the reasons count the hosts that each filter refused.
   */
  choose(need: Need, liked?: ReadonlySet<HostId>): Choice {
    const group = this.#groupOf(need)
    if (group.reasons !== null) return { kind: 'none', reasons: group.reasons }
    const slot = this.#fills ? this.#oldest(group, need) : this.#idlest(group, need, liked)
    if (slot) {
      slot.used = sum(slot.used, need)
      return { kind: 'chosen', host: slot.host }
    }
    group.reasons = this.#reasonsFor(need)
    return { kind: 'none', reasons: group.reasons }
  }

  /** Of each host, all that speaks against it. */
  explain(need: Need): { readonly host: Host; readonly refusals: readonly string[] }[] {
    return this.#slots.map((slot) => ({ host: slot.host, refusals: refusals(slot, need) }))
  }

  #groupOf(need: Need): Group {
    const key = keyOf(need, this.#isDivided)
    const known = key === null ? undefined : this.#groups.get(key)
    if (known) return known
    const line = this.#slots.filter((slot) => filters.every((filter) => filter.passes(slot, need)))
    const heap = new Heap<Slot>((a, b) => a.order - b.order)
    if (!this.#fills) heap.fill(line.map((slot) => [loadOf(slot), slot]))
    const group: Group = { line, next: 0, heap, reasons: null }
    if (key !== null) this.#groups.set(key, group)
    return group
  }

  #oldest(group: Group, need: Need): Slot | null {
    for (; group.next < group.line.length; group.next += 1) {
      const slot = group.line[group.next]
      if (slot && hasRoom(slot, need)) return slot
    }
    return null
  }

  #idlest({ heap }: Group, need: Need, liked: ReadonlySet<HostId> | undefined): Slot | null {
    for (let top = heap.top(); top; top = heap.top()) {
      const [known, slot] = top
      const load = loadOf(slot)
      if (load > known) heap.replaceTop(load, slot)
      else if (!hasRoom(slot, need)) heap.pop()
      else return this.#liked(need, load, liked) ?? slot
    }
    return null
  }

  #liked(need: Need, least: number, liked: ReadonlySet<HostId> | undefined): Slot | null {
    let best: Slot | null = null
    let looked = 0
    for (const id of liked ?? []) {
      const slot = this.#byId.get(id)
      looked += 1
      if (looked > mostLiked) break
      if (!slot || loadOf(slot) > least + muchFuller || (best && loadOf(best) <= loadOf(slot))) continue
      if (refusals(slot, need).length === 0) best = slot
    }
    return best
  }

  #reasonsFor(need: Need): string {
    if (this.#slots.length === 0) return 'no host has joined yet'
    const asked = need.container.spec.requestedHost
    if (asked !== null && !this.#slots.some(({ host }) => isAskedFor(host, asked))) {
      return `no host or instance ${asked} has an agent that joined; start one there with gantry agent`
    }
    const refused = new Map<string, number>()
    for (const slot of this.#slots) {
      const [why = 'taken'] = refusals(slot, need)
      refused.set(why, (refused.get(why) ?? 0) + 1)
    }
    const counts = [...refused].map(
      ([why, count]) => `${count} of ${this.#slots.length} ${count === 1 ? 'is' : 'are'} ${why}`,
    )
    return counts.join(', ')
  }
}

/** How many hosts that have the image are looked at, and how much more of one may be promised than of the best. */
const mostLiked = 16
const muchFuller = 0.02

/** The larger share of cores and memory that is promised. */
function loadOf({ used, limits }: Slot): number {
  return Math.max(used.cpu / Math.max(limits.cpu, 1e-9), used.memory / Math.max(limits.memory, 1e-9))
}

function hasRoom({ used, limits }: Slot, need: Need): boolean {
  return roomFilters.every((filter) => filter.fits(used, limits, need))
}

function refusals(slot: Slot, need: Need): string[] {
  return [
    ...filters.filter((filter) => !filter.passes(slot, need)),
    ...roomFilters.filter((filter) => !filter.fits(slot.used, slot.limits, need)),
  ].map(({ why }) => why)
}

function sum(used: HostUsage, { container, count }: Need): HostUsage {
  const { cpu, memory, disk } = container.spec
  return {
    containers: used.containers + count,
    cpu: used.cpu + cpu,
    memory: used.memory + memory,
    disk: used.disk + disk,
  }
}

/** Equal for needs that no filter tells apart; null: every such need is looked at by itself. */
function keyOf(need: Need, isDivided: boolean): string | null {
  const { container, count, volumesOn, leaves, rules, near, apart, architectures } = need
  if (near !== null || apart.size > 0) return null
  const { cpu, memory, disk, requestedHost, availabilityZone, runtime, cpuPolicy } = container.spec
  const hasVolume = container.mounts.some(({ kind }) => kind === 'volume')
  return JSON.stringify([
    [cpu, memory, disk, count],
    [requestedHost, availabilityZone, runtime, cpuPolicy, volumesOn, leaves],
    [container.nics.length > 0, hasVolume],
    architectures,
    rules.map(({ text }) => text),
    isDivided ? need.projectId : null,
  ])
}
