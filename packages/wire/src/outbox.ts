import type { Assignment, ContainerId } from '@gantry/model'
import type { ServerMessage } from './messages.ts'
import type { HostPlan, PlanMessage } from './relay-ports.ts'

const kept = Symbol('kept')
const synced = Symbol('synced')

/**
 * What one agent is still to be told, as much as it has containers at most: a newer assignment takes the place of one that
 * waits. It keeps that place in the order, because moved behind `synced` it would be missing from the sync, and the agent
 * would remove the container. An assignment older than one that waits or was sent is dropped: the snapshot of a sync is
 * read while changes go on, and either may be the newer. Plans of networks and volumes go first and keep their order, so an
 * assignment never comes before what it stands on.
 */
export class Outbox {
  readonly #waiting = new Map<ContainerId | typeof kept | typeof synced, Assignment | null>()
  #plans: PlanMessage[] = []
  /** Plans told since the sync that may wait at the same time. An agent that lets more gather does not take them. */
  readonly #mostPlans: number
  /** Of those of the sync, which may be any number. */
  #planned = 0
  readonly #sent = new Map<ContainerId, Age>()

  constructor(mostPlans = 10_000) {
    this.#mostPlans = mostPlans
  }

  offer(assignment: Assignment): void {
    const age = this.#waiting.get(assignment.id) ?? this.#sent.get(assignment.id)
    if (age && isOlder(ageOf(assignment), ageOf(age))) return
    this.#waiting.set(assignment.id, assignment)
  }

  /** false: too many wait. Then only a new session, which begins with everything, brings the agent up to date. */
  tell(message: PlanMessage): boolean {
    if (this.#plans.length >= this.#planned + this.#mostPlans) return false
    this.#plans.push(message)
    return true
  }

  /** Everything of the host, then the mark that this was all. What was offered before is part of it. Once. */
  sync({ fabric, volumes, assignments, kept: isKept = false }: HostPlan): void {
    const plans: PlanMessage[] = [
      ...fabric.map((plan) => ({ kind: 'fabric' as const, plan })),
      ...volumes.map((plan) => ({ kind: 'volume' as const, plan })),
    ]
    this.#planned = plans.length
    this.#plans = [...plans, ...this.#plans]
    for (const assignment of assignments) this.offer(assignment)
    if (isKept) this.#waiting.set(kept, null)
    this.#waiting.set(synced, null)
  }

  /** The agent holds nothing of it any more. */
  forget(id: ContainerId): void {
    this.#sent.delete(id)
  }

  next(): ServerMessage | null {
    const plan = this.#plans.shift()
    if (plan) return plan
    const first = this.#waiting.entries().next()
    if (first.done) return null
    const [key, assignment] = first.value
    this.#waiting.delete(key)
    if (assignment === null) return { kind: key === kept ? 'kept' : 'synced' }
    this.#sent.set(assignment.id, ageOf(assignment))
    return { kind: 'assign', assignment }
  }
}

/** What only ever grows in the assignments of one container, most telling first. */
type Age = readonly [version: number, generation: number, seenGeneration: number, failed: number]

function ageOf(of: Assignment | Age): Age {
  if ('wish' in of) return [of.wish.version, of.wish.generation, of.seenGeneration, of.failed === null ? 0 : 1]
  return of
}

function isOlder(a: Age, b: Age): boolean {
  const at = a.findIndex((part, index) => part !== b[index])
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0)
}
