import type { HostId } from '@gantry/model'
import type { ServerId } from './cluster.ts'
import type { Tables } from './store.ts'

/** Which server each host hangs on: the store's truth, and what this server knows of it by now. */
export interface HostSessions {
  /** A host says hello here. Again within a session: throws if it has meanwhile gone to another server. */
  open(hostId: HostId): Promise<void>
  close(hostId: HostId): Promise<void>
  /** The number of its session here; null: it has none here. */
  held(hostId: HostId): number | null
  /**
   * Those whose session is still the newest, so that what came in it may be written. Within a transaction it stays so until
   * that ends: what an older session reports can never come after what a newer one does.
   */
  current(
    tables: Pick<Tables, 'sessions'>,
    sessions: readonly { readonly hostId: HostId; readonly session: number }[],
  ): Promise<ReadonlySet<HostId>>
  /** The other server that it hangs on; null: it hangs here or nowhere. */
  elsewhere(hostId: HostId): ServerId | null
  /** All that hang on other servers. */
  countElsewhere(): number
  /** Calls `heard` when a host has gone from here to another server while its old connection may still be open. */
  onMoved(heard: (hostId: HostId) => void): void
  /** Calls `heard` when a host comes to hang somewhere or nowhere, and for each when all are read anew. */
  onWhere(heard: (hostId: HostId, hangs: boolean) => void): void
  /** Reads all of them anew, as at the start and when news may have been missed. */
  reload(): Promise<void>
}
