import { Fault } from '@gantry/kernel'
import { type Caller, type Container, type Host, nothingObserved, type Power, statusOf } from '@gantry/model'
import type { Containers, Moving } from '../control.ts'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import type { Tables } from '../ports/store.ts'
import { requireOtherHost } from '../reconcile/fleet-of-store.ts'
import { writeWish } from './change-wish.ts'
import { findContainer, requireAdminFor } from './find-container.ts'
import { findHost, isUp, withLink } from './hosts.ts'

/** What a move is to be, beside what moves. */
export interface MoveOrder {
  /** null: any other that fits. */
  readonly to: Host | null
  /** Whoever asks knows that the old host does not run any more; it is not waited for. */
  readonly lost: boolean
  /** Only if the host has hung on no server since the session of this number. */
  readonly silentSince?: number
}

/**
 * Takes a container, or the whole capsule it is in, off its host and makes it anew on another: with its volumes, networks and
 * addresses, but without what it wrote elsewhere. While the old host is connected the new one waits until that has let go.
 */
export function moveVerb(deps: Deps): Pick<Containers, 'move'> {
  return {
    async move(caller, ref, { to, lost = false } = {}) {
      requireAdminFor(caller, true, 'Moving a container')
      const order: MoveOrder = { to: to === undefined ? null : await findHost(deps, to), lost }
      const found = await findContainer(deps.store, caller, ref, { allProjects: true })
      await beginMove(deps, caller, found, order)
      return findContainer(deps.store, caller, found.id, { allProjects: true })
    },
  }
}

/** Throws what keeps it where it is; then nothing has changed. */
export async function beginMove(deps: Deps, caller: Caller, { id }: Container, order: MoveOrder): Promise<void> {
  const { changed, displaced } = await deps.store.transaction(async (tables) => {
    const leader = await findContainer(tables, caller, id, { allProjects: true })
    const { capsule } = leader
    const together = capsule ? await tables.capsules.members(capsule.capsuleId) : [leader]
    const from = await hostToLeave(deps, tables, leader, order)
    for (const one of together) await deps.volumes.mayLeave(tables, one.id)
    await requireOtherHost(deps, tables, { ...leader, spec: specFor(leader, order) }, together, from)
    const changed: Container[] = []
    for (const one of together) changed.push(await wishMoved(deps, tables, caller, one, { from, order }))
    const gone = order.lost || leader.hostLost
    return { changed, displaced: gone ? await displace(deps, tables, changed) : [] }
  })
  for (const container of displaced.length > 0 ? displaced : changed) {
    deps.hub.publish(containerEvent(container, container.updatedAt))
    if (displaced.length === 0) deps.ring({ kind: 'wish', container })
  }
  ringDisplaced(deps, displaced)
}

/** Of these, the one that is placed for all; the reconciler finds a host for it. */
export function ringDisplaced(deps: Pick<Deps, 'ring'>, displaced: readonly Container[]): void {
  const leader = displaced.find(({ capsule }) => !capsule || capsule.role === 'sandbox')
  if (leader) deps.ring({ kind: 'unplaced', id: leader.id, projectId: leader.projectId })
}

/** Nothing leaves a host behind that may still run it, and no host that is connected is given up. */
function requireLostOrUp(deps: Deps, host: Host, lost: boolean): void {
  const refuse = (problem: string) => new Fault('request.invalid', { problem: `Host ${host.name} ${problem}` })
  if (lost && host.connected) throw refuse('is not lost: its agent is connected.')
  if (lost || isUp(deps, host)) return
  throw refuse(
    'does not answer. Its containers may still run, and must not run twice: switch the machine off, then say that it is lost.',
  )
}

async function hostToLeave(deps: Deps, tables: Tables, leader: Container, { to, lost, silentSince }: MoveOrder) {
  const { hostId, name, wish, moving } = leader
  const refuse = (problem: string) => new Fault('request.invalid', { problem: `Container ${name} ${problem}.` })
  if (wish.gone) throw refuse('is being deleted')
  if (hostId === null) throw refuse('is on no host; it is placed by itself, or anew by a rebuild')
  if (to?.id === hostId) throw refuse(`is on host ${to.name} already`)
  const stored = await tables.hosts.get(hostId)
  const host = stored && withLink(deps, stored)
  if (host) requireLostOrUp(deps, host, lost)
  else if (!lost) throw refuse('is on a host that is not known any more; say that it is lost')
  if (moving && !lost) throw refuse('is moving already')
  if (silentSince !== undefined && !(await tables.sessions.isSilent(hostId, silentSince))) {
    throw refuse('is on a host that has come back')
  }
  return hostId
}

async function wishMoved(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  container: Container,
  { from, order }: { readonly from: Host['id']; readonly order: MoveOrder },
): Promise<Container> {
  const { wish } = container
  return writeWish(deps, tables, caller, container, {
    action: 'move',
    task: 'container_rebuilding',
    wish: { generation: wish.generation + 1, power: powerAnew(wish.power), paused: false },
    rest: { spec: specFor(container, order), moving: { from, left: false } },
  })
}

/** Where it was to be at first counts no more. */
function specFor({ spec }: Container, { to }: MoveOrder): Container['spec'] {
  return { ...spec, requestedHost: to?.name ?? null }
}

function powerAnew(power: Power): Power {
  return power.kind === 'running' ? { kind: 'running', since: null, bounce: false, graceSeconds: 10 } : power
}

/** Takes them off their host in the store, volumes included; from here on they wait for a new one. */
export async function displace(
  deps: Pick<Deps, 'volumes' | 'clock'>,
  tables: Tables,
  together: readonly Container[],
): Promise<Container[]> {
  const displaced: Container[] = []
  for (const container of together) {
    await deps.volumes.displace(tables, container.id)
    const moving = container.moving ? { ...container.moving, left: true } : null
    const bare: Container = {
      ...container,
      moving,
      hostId: null,
      hostName: null,
      hostLost: false,
      observed: nothingObserved,
      updatedAt: deps.clock.now(),
    }
    const { status, reason: statusReason } = statusOf(bare)
    const { hostId, hostName, hostLost, observed, updatedAt } = bare
    const change = { moving, hostId, hostName, hostLost, observed, updatedAt, status, statusReason }
    await tables.containers.update(container.id, change)
    displaced.push({ ...bare, ...change })
  }
  const capsuleId = together[0]?.capsule?.capsuleId
  if (capsuleId !== undefined) await tables.capsules.update(capsuleId, { hostId: null })
  return displaced
}

/**
 * Moves everything off a host that can leave it, and places nothing new there. What cannot leave stays, with the reason.
 * `lost`: the machine is known to be off.
 */
export async function drainHost(deps: Deps, caller: Caller, ref: string, lost: boolean): Promise<Moving> {
  requireAdminFor(caller, true, 'Draining a host')
  const host = await findHost(deps, ref)
  requireLostOrUp(deps, host, lost)
  await deps.store.hosts.change(host.id, {
    disabled: true,
    disabledReason: lost ? 'it is lost' : 'it is being drained',
  })
  const moving: Container[] = []
  const staying: { container: Container; reason: string }[] = []
  for (const container of await deps.store.containers.ofHost(host.id)) {
    if (container.wish.gone || (container.capsule && container.capsule.role !== 'sandbox')) continue
    if (container.moving && !lost) continue
    try {
      await beginMove(deps, caller, container, { to: null, lost })
      moving.push(container)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      staying.push({ container, reason: error.message })
    }
  }
  return { moving, staying }
}
