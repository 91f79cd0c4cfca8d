import type { FabricChange, Store, Tables } from '@gantry/control'
import { type Clock, Fault, type Ids } from '@gantry/kernel'
import type { Caller, NetworkId, ProjectId } from '@gantry/model'
import type { NetworkLimits } from './limits.ts'

/** What the pieces of the network provider share. */
export interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: NetworkLimits
  readonly announce: (change: FabricChange) => void
}

/** A transaction under way, and what in it concerns hosts. */
export interface Work extends Parts {
  readonly tables: Tables
  readonly touched: Touched
}

export interface Touched {
  readonly networks: Set<NetworkId>
  readonly groups: Set<string>
  readonly routers: Set<string>
}

/** Owner of what serves a project but is not its to see, as in Neutron: ports of gateways and of floating IPs. */
export const nobody = '' as ProjectId

/** Runs `job` in a transaction of its own; hosts are told once it is committed. */
export async function transact<T>(parts: Parts, job: (work: Work) => Promise<T>): Promise<T> {
  const touched = nothingTouched()
  const result = await parts.store.transaction((tables) => job({ ...parts, tables, touched }))
  announce(parts, touched)
  return result
}

/** Runs `job` within the caller's transaction; what is new there is told by the caller, with the containers on it. */
export function within<T>(parts: Parts, tables: Tables, job: (work: Work) => Promise<T>): Promise<T> {
  return job({ ...parts, tables, touched: nothingTouched() })
}

/** Runs `job` within the caller's transaction; hosts are told once that has ended. */
export async function withinAndTell(parts: Parts, tables: Tables, job: (work: Work) => Promise<void>): Promise<void> {
  const touched = nothingTouched()
  await job({ ...parts, tables, touched })
  if (!hasAny(touched)) return
  // Transactions exclude each other, so an empty one ends after the caller's. Had that been rolled back, or is the store
  // closed, then telling is superfluous: hosts are told what the store says, and everything at their next connection.
  parts.store
    .transaction(async () => undefined)
    .then(
      () => announce(parts, touched),
      () => undefined,
    )
}

function announce(parts: Parts, touched: Touched): void {
  if (!hasAny(touched)) return
  parts.announce({ networks: [...touched.networks], groups: [...touched.groups], routers: [...touched.routers] })
}

function nothingTouched(): Touched {
  return { networks: new Set(), groups: new Set(), routers: new Set() }
}

function hasAny({ networks, groups, routers }: Touched): boolean {
  return networks.size + groups.size + routers.size > 0
}

/** Throws `policy.forbidden` unless an administrator asks; `action` begins a sentence. */
export function requireAdmin(caller: Caller, action: string): void {
  if (!caller.isAdmin) throw new Fault('policy.forbidden', { action, reason: 'it needs the admin role' })
}

/** Of which project to list: null is all of them, for administrators. */
export function scopeOf(caller: Caller, options: { readonly allProjects?: boolean } = {}): ProjectId | null {
  if (options.allProjects !== true) return caller.projectId
  requireAdmin(caller, 'Listing all projects')
  return null
}

export function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}

export function conflict(problem: string): Fault {
  return new Fault('network.conflict', { problem })
}

/** Names may be empty and may repeat. */
export function checkName(name: string, what: string): string {
  if (name.length > 255) throw invalid(`The name of a ${what} has at most 255 characters.`)
  return name
}
