import type { Shared } from '../among-servers.ts'
import type { Log, Secrets, Store } from '@gantry/control'
import { type Clock, Fault, type Ids } from '@gantry/kernel'
import type { HostId, VolumeId } from '@gantry/model'
import type { CloudAccess } from '../cloud-access.ts'
import type { VolumeBackend } from './backend.ts'

/** What a backend is made of. */
export interface BackendParts {
  readonly access: CloudAccess
  readonly clock: Clock
}

/** What the pieces of the volume provider share. */
export interface Parts extends BackendParts, Shared {
  readonly store: Store
  readonly ids: Ids
  readonly log: Log
  /** For what hosts connect with. */
  readonly secrets: Secrets
  /** Of this cloud: marks what is made for it. */
  readonly deployment: string
  /** Where a new volume is kept unless told: the first. */
  readonly backends: readonly VolumeBackend[]
}

/** What the pieces that write rows call when they did. */
export interface Bells {
  /** Something may be due at a service, once the transaction that is under way has ended. */
  readonly wake: () => void
  /** What a host is to know of a volume changed, once the transaction that is under way has ended. */
  changed(hostId: HostId, volumeId: VolumeId): void
}

/** The marks in the metadata of volumes. */
export const marks = {
  /** With the deployment: made here. */
  deployment: 'gantry',
  /** With the file system: it began with nothing in it. */
  fsType: 'gantry_fs',
  /** Made for this container, and to go with it. */
  container: 'gantry_container',
} as const

export function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}

/** Names may be empty and may repeat. */
export function checkName(name: string, what: string): string {
  if (name.length > 255) throw invalid(`The name of a ${what} has at most 255 characters.`)
  return name
}

/** Of a new volume, in GiB. */
export function checkSize(size: number): number {
  if (Number.isInteger(size) && size >= 1) return size
  throw invalid('The size of a volume is a whole number of GiB from 1 on.')
}

/** How a volume, snapshot or backup is called in a sentence. */
export function called({ id, name }: { readonly id: string; readonly name: string }): string {
  return name === '' ? id : name
}

/** What another service said, cut to what a row can hold, with a full stop. */
export function sentence(reason: string): string {
  const text = reason.length <= 1000 ? reason : `${reason.slice(0, 1000)}…`
  return /[.!?…]$/.test(text) ? text : `${text}.`
}
