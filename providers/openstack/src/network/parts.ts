import type { Shared } from '../among-servers.ts'
import type { Log, Store } from '@gantry/control'
import type { Clock, Ids } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import { type NetworkService, networkService } from '@gantry/openstack'
import type { CloudAccess } from '../cloud-access.ts'

/** What the pieces of the network provider share. */
export interface Parts extends Shared {
  readonly access: CloudAccess
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** Of this cloud: marks what is made for it at Neutron. */
  readonly deployment: string
}

/** Neutron with the caller's own rights. */
export function neutronOf({ access }: Pick<Parts, 'access'>, caller: Caller): NetworkService {
  return networkService(access.of(caller))
}

/** Neutron with Gantry's own rights. */
export function ownNeutron({ access }: Pick<Parts, 'access'>): NetworkService {
  return networkService(access.service)
}

/** An id of Neutron's, and so not a name. */
export function isId(ref: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(ref)
}

/** The oldest first. Neutron can sort by many a thing, but not by this one. */
export function byAge<T extends { readonly id: string; readonly created_at?: string | undefined }>(
  things: readonly T[],
): T[] {
  return things.toSorted((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? '') || a.id.localeCompare(b.id))
}

/** Neutron's `device_owner` of what serves a container; clients and other services go by it. */
export const containerOwner = 'compute:kuryr'

/** What a container's port is called at Neutron. */
export function portName(containerId: string): string {
  return `gantry-${containerId.slice(0, 8)}`
}

/** The description of what was made for this cloud, by which a sweep finds it. */
export function markOf({ deployment }: Pick<Parts, 'deployment'>): string {
  return `gantry ${deployment}`
}
