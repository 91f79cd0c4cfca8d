import { Fault, reasonOf } from '@gantry/kernel'
import type { Caller, Container, Host, RequestId } from '@gantry/model'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from '../deps.ts'
import type { HostSession } from '../ports/session-table.ts'
import { beginMove } from '../usecases/move-container.ts'
import { isWanted, leaseMargin } from './leases.ts'

/** Makes sure that a machine runs nothing any more, whatever is left of its agent. Rejects if it could not. */
export type Fence = (host: Host, signal: AbortSignal) => Promise<void>

export type EvacuationDeps = Deps & { readonly fence: Fence | null }

const roundMs = 1000
/** What could not leave may be able to later. */
const againAfterRounds = 30

/**
 * Makes anew elsewhere what ran on hosts that have been lost for long enough. To be run by one server at a time (`Cluster.lead`), but
 * nothing goes wrong if two do it. How long a host has been silent is counted in rounds of this server's own, which never takes
 * less than it says: no clock is believed, and a new leader begins to count anew.
 */
export async function evacuateLost(deps: EvacuationDeps, signal: AbortSignal): Promise<void> {
  const silences = new Map<string, Silence>()
  while (!signal.aborted) {
    await sleep(roundMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    await oneRound(deps, silences, signal)
  }
}

interface Silence {
  readonly session: number
  /** That have passed since it was first seen silent. */
  readonly rounds: number
  readonly isFenced: boolean
  /** The round in which its containers are looked at next. */
  readonly due: number
}

async function oneRound(deps: EvacuationDeps, silences: Map<string, Silence>, signal: AbortSignal): Promise<void> {
  const silent = await deps.store.sessions.silentOnes()
  const ids = new Set<string>(silent.map(({ hostId }) => hostId))
  for (const id of silences.keys()) if (!ids.has(id)) silences.delete(id)
  const first = Math.ceil((deps.policy.evacuateAfterSeconds * 1000) / roundMs)
  for (const session of silent) {
    const known = silences.get(session.hostId)
    const before: Silence =
      known?.session === session.number ? known : { session: session.number, rounds: -1, isFenced: false, due: first }
    const now = { ...before, rounds: before.rounds + 1 }
    silences.set(session.hostId, now)
    if (now.rounds < now.due || signal.aborted) continue
    const isFenced = now.isFenced || (await fenced(deps, session, signal))
    if (isFenced || deps.fence === null) await evacuate(deps, session, { ...now, isFenced })
    silences.set(session.hostId, { ...now, isFenced, due: now.rounds + againAfterRounds })
  }
}

async function fenced(deps: EvacuationDeps, { hostId }: HostSession, signal: AbortSignal): Promise<boolean> {
  const { fence, store, log, policy } = deps
  if (!fence) return false
  const host = await store.hosts.get(hostId)
  const concerned = (await store.containers.ofHost(hostId)).some(({ spec }) => isWanted(policy.evacuate, spec))
  if (!host || !concerned) return false
  try {
    await fence(host, signal)
    log.warn({ host: hostId, name: host.name }, 'lost host fenced')
    return true
  } catch (error) {
    log.error(
      { host: hostId, name: host.name, reason: reasonOf(error) },
      'lost host not fenced; nothing of it is moved',
    )
    return false
  }
}

async function evacuate(
  deps: EvacuationDeps,
  { hostId, number }: HostSession,
  { rounds, isFenced }: Silence,
): Promise<void> {
  const { store, policy, log } = deps
  const seconds = (rounds * roundMs) / 1000
  for (const container of await store.containers.ofHost(hostId)) {
    if (container.wish.gone || (container.capsule && container.capsule.role !== 'sandbox')) continue
    const { capsule } = container
    const together = capsule ? await store.capsules.members(capsule.capsuleId) : [container]
    if (!together.some(({ spec }) => isWanted(policy.evacuate, spec))) continue
    try {
      requireStopped(together, seconds, isFenced)
      await beginMove(deps, operator(deps, container), container, { to: null, lost: true, silentSince: number })
      log.warn({ container: container.id, host: hostId }, 'container of a lost host made anew elsewhere')
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      await tellWhy(deps, container, error.message)
    }
  }
}

/** Nothing may run twice: its host has stopped it by now, or the machine is off. */
function requireStopped(together: readonly Container[], seconds: number, isFenced: boolean): void {
  if (isFenced) return
  const held = together.find(({ lease }) => !lease || lease + leaseMargin > seconds)
  if (!held) return
  const why = held.mounts.some(({ kind }) => kind === 'volume')
    ? 'it has a volume, to which its host may still write'
    : 'its host was not told to stop it by itself'
  throw new Fault('request.invalid', { problem: `Container ${held.name} stays: ${why}.` })
}

async function tellWhy({ store }: EvacuationDeps, container: Container, reason: string): Promise<void> {
  if (container.status !== 'Unknown') return
  const statusReason = `The agent on its host does not answer. It is not made anew elsewhere: ${reason}`
  if (statusReason !== container.statusReason) await store.containers.update(container.id, { statusReason })
}

/** It is done in nobody's name, within the container's own project. */
function operator({ ids }: Deps, { projectId, userId }: Container): Caller {
  return {
    userId,
    userName: '',
    projectId,
    projectName: '',
    roles: [],
    isAdmin: true,
    requestId: `req-${ids.uuid()}` as RequestId,
  }
}
