import type { AuditOutcome, AuditRecord } from '@gantry/model'
import type { Brand } from '@gantry/kernel'
import type { Scope } from './store.ts'

/** A place in the order of records, newest first; opaque to all but the store. */
export type AuditMarker = Brand<string, 'AuditMarker'>

export interface AuditQuery {
  /** null: of every project, and of calls by nobody known. */
  readonly scope: Scope
  /** Of who called: an id or a name. */
  readonly user?: string
  /** Exact, or `update*`. */
  readonly action?: string
  readonly outcome?: AuditOutcome
  /** Epoch milliseconds, both included. */
  readonly since?: number
  readonly until?: number
  readonly limit: number
  /** The `next` of the page before; left out: from the newest on. */
  readonly marker?: AuditMarker
}

export interface AuditPage {
  readonly records: readonly AuditRecord[]
  /**
   * null: there are no more. So many rows are looked at for a page and no more, so that one may hold few records, or none, although more follow.
   */
  readonly next: AuditMarker | null
}

/** What was called, by whom, and what was answered: of all servers, newest first. */
export interface AuditTable {
  add(records: readonly AuditRecord[]): Promise<void>
  /** Throws `request.invalid` for a marker that is none. */
  page(query: AuditQuery): Promise<AuditPage>
  /** Removes at most `most` of those older than `before`, and of those beyond the newest `keep`; how many it were. */
  prune(limits: { readonly before: number; readonly keep: number; readonly most: number }): Promise<number>
}
