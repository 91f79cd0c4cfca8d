import type { Brand } from '@gantry/kernel'
import type { ProjectId, RequestId, UserId, WebhookId } from '@gantry/model'
import type { Scope } from './store.ts'

/** A place in the order of changes; opaque to all but the store. Every change lies before it or after it. */
export type Cursor = Brand<string, 'Cursor'>

/** Something that changed, written in the transaction that changed it. Kept until it is old. */
export interface Change {
  /** Epoch milliseconds. */
  readonly at: number
  /** null: no project's; for administrators. */
  readonly projectId: ProjectId | null
  /** Whose wish it was; null where nobody's is known. */
  readonly userId: UserId | null
  readonly requestId: RequestId | null
  /** `container.create.start`, `container.status`, `volume.delete`, `host.update` … */
  readonly type: string
  readonly objectId: string
  /** Shown to tenants: nothing secret. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface RecordedChange extends Change {
  /** Never given twice in one cloud, and the same whenever it is read: what receivers know a change by. */
  readonly number: number
  readonly cursor: Cursor
}

export interface ChangeQuery {
  /** null: of every project, and those of none. */
  readonly scope: Scope
  /** Also those of no project: hosts, classes of quotas. */
  readonly withNobodys?: boolean
  /** Exact types, or `container.*`; empty: all. */
  readonly types: readonly string[]
  readonly objectId?: string
  readonly limit: number
}

export interface ChangeLimits {
  /** Older ones may go. Epoch milliseconds. */
  readonly before: number
  /** Those beyond the newest so many go, whoever has not read them. */
  readonly keep: number
  /** At most so many at once. */
  readonly most: number
  /** The mark of a reader who must have read what goes because of its age. */
  readonly readBy?: string
}

export interface ChangeTable {
  add(changes: readonly Change[]): Promise<void>
  /**
   * What lies after `cursor`, in order, and from where to go on. What was once passed over never appears later: changes that
   * could still be overtaken by an unfinished transaction are not shown yet.
   */
  after(cursor: Cursor, query: ChangeQuery): Promise<{ changes: RecordedChange[]; next: Cursor }>
  /** Before the newest `limit` changes that are asked for; before all that is kept if there are fewer. */
  before(query: ChangeQuery): Promise<Cursor>
  /** After all that can be read now. */
  end(): Promise<Cursor>
  /** Whether something that lay after `cursor` has been removed because of its age or number. */
  isGone(cursor: Cursor): Promise<boolean>
  /** Removes what is beyond the limits, oldest first; how many it were. */
  prune(limits: ChangeLimits): Promise<number>
  /** For a database that may have been restored in another place: brings the order of changes and all cursors kept here in line. */
  mend(): Promise<void>
  /** Where a reader of that name has got to. */
  mark(name: string): Promise<Cursor | undefined>
  setMark(name: string, cursor: Cursor): Promise<void>
}

/** Where a project wants to be told of its changes. */
export interface Webhook {
  readonly id: WebhookId
  readonly projectId: ProjectId
  readonly userId: UserId
  readonly name: string
  readonly url: string
  readonly sealedSecret: string
  /** Exact types, or `container.*`; empty: all. */
  readonly types: readonly string[]
  readonly enabled: boolean
  /** Why it is not enabled any more, for its owner. */
  readonly disabledReason: string | null
  /** What lies before it was delivered. */
  readonly cursor: Cursor
  /** In a row, of the change that is next. */
  readonly failures: number
  readonly failingSince: number | null
  /** Not before then. Epoch milliseconds. */
  readonly nextAt: number
  readonly createdAt: number
  readonly updatedAt: number
}

/** One attempt to tell a receiver. */
export interface Delivery {
  readonly webhookId: WebhookId
  /** Of the change; 0: a test. */
  readonly number: number
  readonly type: string
  readonly at: number
  /** 1 for the first. */
  readonly attempt: number
  /** What the receiver answered; null: nothing. */
  readonly status: number | null
  readonly milliseconds: number
  /** null: delivered. */
  readonly problem: string | null
}

export interface WebhookTable {
  insert(webhook: Webhook): Promise<void>
  /** By id or by name, at most two. An id wins over names. */
  find(scope: Scope, ref: string): Promise<Webhook[]>
  /** By age. */
  list(scope: Scope): Promise<Webhook[]>
  enabled(): Promise<Webhook[]>
  get(id: WebhookId): Promise<Webhook | undefined>
  update(id: WebhookId, change: Partial<Omit<Webhook, 'id' | 'projectId' | 'userId' | 'createdAt'>>): Promise<void>
  /** With what was noted of its deliveries. */
  remove(id: WebhookId): Promise<void>
  countOf(project: ProjectId): Promise<number>
  noteDelivery(delivery: Delivery): Promise<void>
  /** Newest first, at most `limit`. */
  deliveries(id: WebhookId, limit: number): Promise<Delivery[]>
  pruneDeliveries(before: number): Promise<void>
}
