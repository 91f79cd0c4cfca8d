import { Fault } from '@gantry/kernel'
import { type Container, type ContainerId, type HostId, type ProjectId, statusOf } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import { type HostsSeen, placementLock, projectLock, type Tables } from '../ports/store.ts'
import type { Choice, Fleet } from '../scheduling/fleet.ts'
import type { ImageSites } from '../scheduling/image-sites.ts'
import { fleetOf, needOf, type Neighbours, neighboursIn } from './fleet-of-store.ts'
import { leaseFor } from './leases.ts'
import { architecturesOf, type KnownArchitectures } from './made-for.ts'
import { isStoreAway } from './store-away.ts'

export type Placed =
  /** With everything that is placed together with it (a capsule), itself included. */
  | { readonly kind: 'placed'; readonly containers: readonly Container[] }
  | { readonly kind: 'failed'; readonly containers: readonly Container[] }
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'nothing' }

/** What earlier placements have seen. */
export interface Known {
  readonly sites: ImageSites
  readonly architectures: KnownArchitectures
  hosts: HostsSeen | null
}

/** Whom to place: a container, or the sandbox of a capsule for all of it. */
export interface Unplaced {
  readonly id: ContainerId
  readonly projectId: ProjectId
}

/**
 * Gives each of these a host, claiming its resources in the same transaction, or writes down why none fits. While there is no
 * host at all that is up, it waits for one a little (a server that was just started), then gives up with the reason. All servers
 * take turns in this, so that no two of them promise the same room.
 */
export async function placeBatch(
  deps: Deps,
  batch: readonly Unplaced[],
  known: Known,
): Promise<ReadonlyMap<ContainerId, Placed>> {
  const locks = [placementLock, ...new Set(batch.map(({ projectId }) => projectLock(projectId)))]
  const results = await deps.store.transaction(async (tables) => {
    const placing = new Placing(deps, tables, known)
    for (const container of await tables.containers.getMany(batch.map(({ id }) => id))) await placing.place(container)
    await placing.write()
    return placing.results
  }, locks)
  for (const result of results.values()) {
    if (result.kind !== 'failed') continue
    for (const container of result.containers) deps.hub.publish(containerEvent(container, container.updatedAt))
  }
  return results
}

/** The choices of one transaction, which all see each other. */
class Placing {
  readonly results = new Map<ContainerId, Placed>()
  readonly #deps: Deps
  readonly #tables: Tables
  readonly #known: Known
  #fleet: Fleet | null = null
  readonly #neighbours = new Map<ProjectId, Neighbours>()
  readonly #placed: Container[] = []

  constructor(deps: Deps, tables: Tables, known: Known) {
    this.#deps = deps
    this.#known = known
    this.#tables = tables
  }

  async place(container: Container): Promise<void> {
    if (container.hostId !== null || container.wish.gone || container.placementFailure !== null) return
    const { capsule } = container
    // A capsule is placed with its sandbox.
    if (capsule && capsule.role !== 'sandbox') return
    const together = capsule ? await this.#tables.capsules.members(capsule.capsuleId) : [container]
    this.results.set(container.id, await this.#placeTogether(container, together))
  }

  /** Of what was chosen, all that can be written at once. */
  async write(): Promise<void> {
    if (this.#placed.length > 0) await this.#tables.containers.place(this.#placed.map(whereOf))
  }

  async #placeTogether(leader: Container, together: readonly Container[]): Promise<Placed> {
    const { policy, clock, volumes } = this.#deps
    const fleet = await this.#hosts()
    const mounts = together.flatMap((container) => container.mounts)
    let choice: Choice
    try {
      const volumesOn = mounts.some(isVolume) ? await volumes.hostOf(this.#tables, mounts) : null
      const neighbours = () => this.#neighboursOf(leader.projectId)
      const architectures = await architecturesOf(this.#tables, together, this.#known.architectures)
      const leaves = leader.moving?.from ?? null
      const need = await needOf(leader, together, { volumesOn, leaves, architectures }, neighbours)
      choice = fleet.choose(need, this.#known.sites.of(leader.imageRef))
    } catch (error) {
      // What was asked for cannot be; a store that is away has nothing to do with it.
      if (!(error instanceof Fault) || isStoreAway(error)) throw error
      return fail(this.#deps, this.#tables, together, error.message)
    }
    if (choice.kind === 'chosen') return this.#take(choice.host, leader, together)
    const reasons = new Fault('placement.no-host', { reasons: choice.reasons }).message
    const hope = this.#deps.supply?.hope(leader)
    if (hope?.kind === 'wait') return { kind: 'waiting', until: hope.until }
    const until = leader.updatedAt + policy.placementPatienceMs
    if (!fleet.isUp && clock.now() < until) return { kind: 'waiting', until }
    return fail(this.#deps, this.#tables, together, reasons)
  }

  async #hosts(): Promise<Fleet> {
    if (this.#fleet) return this.#fleet
    this.#known.hosts = await this.#tables.hosts.look(this.#known.hosts)
    this.#fleet = await fleetOf(this.#deps, this.#tables, this.#known.hosts.hosts)
    return this.#fleet
  }

  async #take(
    host: { readonly id: HostId; readonly name: string; readonly facts: Parameters<typeof leaseFor>[2] },
    leader: Container,
    together: readonly Container[],
  ): Promise<Placed> {
    const tables = this.#tables
    const containers: Container[] = []
    for (const container of together) {
      // What a capsule has is held by its sandbox, whatever that mounts itself.
      const holds = leader.capsule !== null
      if (holds || container.nics.length > 0) await this.#deps.networks.place(tables, container.id, host.id)
      if (holds || container.mounts.some(isVolume)) await this.#deps.volumes.place(tables, container.id, host.id)
      const lease = leaseFor(this.#deps.policy, container, host.facts)
      containers.push({ ...container, hostId: host.id, hostName: host.name, moving: null, lease })
    }
    if (leader.capsule) await tables.capsules.update(leader.capsule.capsuleId, { hostId: host.id })
    this.#placed.push(...containers)
    for (const { imageRef } of containers) this.#known.sites.note(imageRef, host.id)
    this.#neighbours.get(leader.projectId)?.add(containers)
    return { kind: 'placed', containers }
  }

  /** Read only for those that ask to be with, or apart from, others. */
  async #neighboursOf(projectId: ProjectId): Promise<Neighbours> {
    const known = this.#neighbours.get(projectId)
    if (known) return known
    const read = await neighboursIn(this.#tables, projectId)
    read.add(this.#placed.filter((container) => container.projectId === projectId))
    this.#neighbours.set(projectId, read)
    return read
  }
}

function isVolume({ kind }: Container['mounts'][number]): boolean {
  return kind === 'volume'
}

function whereOf({ id, hostId, hostName, lease = null }: Container) {
  return { id, hostId: hostId as HostId, hostName: hostName ?? '', lease }
}

/** Writes that these were given no host, and ends what was asked of them. */
export async function fail(
  deps: Pick<Deps, 'clock'>,
  tables: Tables,
  together: readonly Container[],
  placementFailure: string,
): Promise<Placed> {
  const now = deps.clock.now()
  const containers: Container[] = []
  for (const container of together) {
    const failed: Container = { ...container, placementFailure, task: null, updatedAt: now }
    const view = statusOf(failed)
    // Whoever asks again may well mean the host that it has left.
    const change = {
      placementFailure,
      moving: null,
      task: null,
      updatedAt: now,
      status: view.status,
      statusReason: view.reason,
    }
    await tables.containers.update(container.id, change)
    await tables.actions.finishUpTo(container.id, container.wish.version, now, placementFailure)
    containers.push({ ...failed, ...change })
  }
  return { kind: 'failed', containers }
}
