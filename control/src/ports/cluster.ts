import type { Brand } from '@gantry/kernel'
import type { ContainerId, HostId } from '@gantry/model'
import type { ContainerEvent } from '../control.ts'
import type { Activity } from '../events/activity.ts'
import type { FabricChange } from './networks.ts'

export type ServerId = Brand<string, 'ServerId'>

/** What one server tells the others, as JSON of at most 7,000 bytes. It carries news, never truth: whoever hears it looks into the store. */
export type Note =
  /** A container's wish, interfaces or volumes changed; for the server that its host hangs on. */
  | { readonly kind: 'wish'; readonly id: ContainerId; readonly hostId: HostId; readonly rewired: boolean }
  | { readonly kind: 'unplaced' }
  | { readonly kind: 'hosts' }
  /** A container waits for a host on demand, or one may have become idle. */
  | { readonly kind: 'supply' }
  /** Where a host hangs from now on; null: nowhere. */
  | { readonly kind: 'session'; readonly hostId: HostId; readonly serverId: ServerId | null; readonly number: number }
  /** The host hung on the teller until just now: what it was told last may never have arrived. */
  | { readonly kind: 'resync'; readonly hostId: HostId }
  | { readonly kind: 'fabric'; readonly change: FabricChange }
  /** The plan of a volume or snapshot on that host changed. */
  | { readonly kind: 'volume'; readonly hostId: HostId; readonly id: string }
  /** What watchers are told; those two are read from nowhere else. */
  | { readonly kind: 'event'; readonly event: ContainerEvent }
  | { readonly kind: 'activity'; readonly activity: Activity }
  /** The backup or volume of that id is being deleted: whoever copies for it breaks off. */
  | { readonly kind: 'give-up'; readonly id: string }
  /** Tokens were revoked: what is remembered of them no longer counts. */
  | { readonly kind: 'revoked' }

/** One of the servers that share a store. */
export interface Member {
  readonly id: ServerId
  /** As the operator knows it: its machine's name. */
  readonly name: string
  /** `host:port` where other servers reach it over mutual TLS; null: nowhere. */
  readonly peer: string | null
  /** `host:port` where agents reach it; null: nobody knows. */
  readonly agents: string | null
  readonly version: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly seenAt: number
}

/**
 * The servers of one cloud. Nobody is in charge: they share the store, tell each other what to look at, and take turns in what only
 * one may do at a time.
 */
export interface Cluster {
  readonly self: ServerId
  /** Tells all other servers, soon, in the order of the calls. May be lost when this server or the line to the store dies; then they hear `missed`. */
  tell(note: Note): void
  /** What the others told. Not awaited: a listener that has work to do does it in the background. */
  onNote(heard: (note: Note, from: ServerId) => void): void
  /** Notes may have been lost: look at everything anew. */
  onMissed(heard: () => void): void
  /** A server was found dead (or has left): what it had begun and could not end is for one of the others, who hears this, to end. */
  onLost(heard: (id: ServerId) => Promise<void>): void
  /**
   * This server could not say for so long that it is alive that the others may soon take it for dead, and hosts that hang here for
   * lost: it must let go of them before.
   */
  onLapsed(heard: () => void): void
  /**
   * Runs `work` on one server at a time, this one included, for as long as it is the one; again when it ends or fails, after a pause.
   * The signal is aborted when this server may not go on: it closes, or cannot reach the store.
   */
  lead(name: string, work: (signal: AbortSignal) => Promise<void>): void
  /**
   * Runs `work` while no other server runs one of that name. It waits for its turn; on one server the caller sees to that itself.
   * Should this server lose its line to the store meanwhile, another one may begin: the work must bear that.
   */
  inTurn<T>(name: string, work: () => Promise<T>): Promise<T>
  /**
   * As `inTurn`, but passes over what another server is at: false, and nothing was done. Whoever has many things to do waits for none;
   * what may have changed since the other began is to be looked at again.
   */
  ifFree(name: string, work: () => Promise<void>): Promise<boolean>
  /** Those that are alive. */
  members(): Promise<readonly Member[]>
}
