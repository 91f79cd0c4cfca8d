import type { Readable } from 'node:stream'
import type { Caller, Digest, ImageId, ImageVisibility, ProjectId } from '@gantry/model'

/** An image as the image service of the cloud tells of it. */
export interface ForeignImage {
  readonly id: ImageId
  /** Whose it is. */
  readonly projectId: ProjectId
  /** Empty: none. Need not be unique. */
  readonly name: string
  /** Its service's word; only what is `active` has content to give. */
  readonly status: string
  /** `community`: to everybody who knows its id. */
  readonly visibility: ImageVisibility | 'community'
  readonly containerFormat: string | null
  readonly diskFormat: string | null
  readonly isProtected: boolean
  /** Of its content; null until it is active. */
  readonly hash: string | null
  /** Epoch milliseconds by its service's clock. */
  readonly createdAt: number
}

/** What is said of an image that is about to be sent. */
export interface Announcement {
  readonly id: ImageId
  readonly projectId: ProjectId
  readonly name: string
  readonly visibility: ImageVisibility
  /** Of its manifest here. */
  readonly digest: Digest
}

/** Bytes that can be opened more than once. */
export interface SentContent {
  readonly size: number
  open(): Readable
}

/**
 * The image service of an OpenStack: the catalogue of record, of which ours is the working copy. With a caller it is asked with her
 * rights, and what it refuses she is told; without one (`own`) with Gantry's. Throws `service.*` faults. Every call may be repeated.
 */
export interface ImageExchange {
  /** null: there is none that the caller may see. An answer may be a few seconds old. */
  get(caller: Caller, id: ImageId): Promise<ForeignImage | null>
  /**
   * Those of one of these names that the caller sees in lists; with `owner` also those of that project that she has not
   * accepted, or that are for everybody who knows them. An answer may be a few seconds old.
   */
  named(caller: Caller, names: readonly string[], owner?: ProjectId): Promise<readonly ForeignImage[]>
  /** Makes it without content; throws `service.over-quota`, `service.forbidden`, `service.conflict` (the id was used before). */
  announce(caller: Caller, image: Announcement): Promise<void>
  change(caller: Caller, id: ImageId, change: ForeignChange): Promise<void>
  /** That it is gone already is no matter. */
  remove(caller: Caller, id: ImageId): Promise<void>
  share(caller: Caller, id: ImageId, projectId: ProjectId): Promise<void>
  answer(caller: Caller, id: ImageId, projectId: ProjectId, status: 'accepted' | 'rejected' | 'pending'): Promise<void>
  unshare(caller: Caller, id: ImageId, projectId: ProjectId): Promise<void>
  /** Its content. Throws `image.not-found` if it has none. */
  open(caller: Caller, id: ImageId, signal: AbortSignal): Promise<Readable>
  readonly own: OwnExchange
}

export interface ForeignChange {
  readonly name?: string
  readonly visibility?: ImageVisibility
}

/** What happens when nobody asks for it. */
export interface OwnExchange {
  get(id: ImageId): Promise<ForeignImage | null>
  open(id: ImageId, signal: AbortSignal): Promise<Readable>
  /** `gone`: there is no such image any more; `busy`: it takes no content now, because it has some or another upload is under way. */
  send(id: ImageId, content: SentContent, signal: AbortSignal): Promise<'sent' | 'gone' | 'busy'>
  announce(image: Announcement): Promise<void>
  /** That it is shared already is no matter. */
  share(id: ImageId, projectId: ProjectId): Promise<void>
  remove(id: ImageId): Promise<void>
  /** Announced by this cloud before `before` (epoch milliseconds), and still without content. */
  unfinished(before: number): Promise<readonly ImageId[]>
}
