import type { Readable } from 'node:stream'
import type { Caller, GlanceFields, Image, ImageId, ImageMember, ImageVisibility, ProjectId } from '@gantry/model'
import type { RefOptions } from './control.ts'
import type { UpstreamFound } from './ports/upstream.ts'

export interface ImageFilter extends RefOptions {
  readonly owners?: 'own' | 'public' | 'shared'
  /** Of those shared with the project; `accepted` unless asked for. */
  readonly memberStatus?: ImageMember['status'] | 'all'
  /** Exactly. */
  readonly name?: string
}

/** A new entry, without content yet. */
export interface NewImage {
  readonly id?: ImageId
  /** null: none. With its content it becomes what the image is called everywhere, as far as engines take it. */
  readonly name: string | null
  readonly visibility: ImageVisibility
  readonly glance: Partial<GlanceFields>
}

export interface ImagePatch {
  readonly name?: string | null
  readonly visibility?: ImageVisibility
  readonly glance?: Partial<GlanceFields>
}

/** What must be true of an image before a project's containers run it. */
export interface SignaturePolicy {
  /** PEM of public keys; one signature by one of them is enough. None: nothing is asked. */
  readonly keys: readonly string[]
}

/**
 * Images as OpenStack's users and the catalogue's know them. What the project may not see is `image.not-found`; what it may see but
 * not change, `policy.forbidden`. Making an image public is for administrators.
 */
export interface ImageVerbs {
  /** The project's own, public ones, and those shared with it. Entries without a name (of engines) are left out. */
  list(caller: Caller, options?: ImageFilter): Promise<Image[]>
  get(caller: Caller, id: ImageId): Promise<Image>
  /** By id, or by name as users write it. Throws `image.ambiguous`. */
  find(caller: Caller, ref: string): Promise<Image>
  create(caller: Caller, input: NewImage): Promise<Image>
  /**
   * Its content: for `docker` a tar as `docker save` makes it (or one of a file system), which is taken apart so that hosts can run it;
   * else kept as it is. Throws `image.conflict` when it has content, `request.invalid` for a tar that is none. An upload that
   * fails leaves it queued.
   */
  upload(caller: Caller, id: ImageId, body: Readable, signal: AbortSignal): Promise<Image>
  /** For `docker` a tar that `docker load` takes. `size`: bytes. Throws `image.conflict` when it has no content. */
  download(
    caller: Caller,
    id: ImageId,
    signal: AbortSignal,
  ): Promise<{ readonly size: number; readonly body: Readable }>
  update(caller: Caller, id: ImageId, patch: ImagePatch): Promise<Image>
  /** Throws `policy.forbidden` for one that is protected, `image.in-use` while a container of the project runs it. */
  delete(caller: Caller, id: ImageId): Promise<void>
  members(caller: Caller, id: ImageId): Promise<ImageMember[]>
  addMember(caller: Caller, id: ImageId, projectId: ProjectId): Promise<ImageMember>
  /** By the member itself. */
  setMemberStatus(
    caller: Caller,
    id: ImageId,
    projectId: ProjectId,
    status: ImageMember['status'],
  ): Promise<ImageMember>
  removeMember(caller: Caller, id: ImageId, projectId: ProjectId): Promise<void>

  /** Brings an image of another registry here for everybody, and onto one host. Administrators only. Answers before it is there. */
  pull(caller: Caller, input: { repo: string; tag: string; host: string }): Promise<Image>
  /** Names the caller could run that contain (or are) `name`. */
  search(caller: Caller, name: string, options: { exact: boolean }): Promise<Image[]>
  /** What Docker Hub has. Throws what `Upstream` does. */
  searchRegistry(caller: Caller, name: string): Promise<readonly UpstreamFound[]>

  signaturePolicy(caller: Caller): Promise<SignaturePolicy>
  setSignaturePolicy(caller: Caller, policy: SignaturePolicy): Promise<SignaturePolicy>
}
