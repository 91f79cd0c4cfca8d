import type { Readable } from 'node:stream'
import type { Caller, Digest, HostId, Image } from '@gantry/model'
import type { ByteRange, UploadId } from './ports/blob-store.ts'

/** A manifest as a client gets it. */
export interface ManifestAnswer {
  readonly mediaType: string
  readonly digest: Digest
  readonly content: Buffer
}

/** OCI's descriptor, of a referrer. */
export interface ReferrerView {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly artifactType: string | null
  readonly annotations: Readonly<Record<string, string>>
}

/** Names in order, those after `after` (exclusive), at most `limit`. */
export interface NamePage {
  readonly after: string | null
  readonly limit: number
}

/**
 * One repository as somebody may use it, in the words of the OCI distribution spec 1.1. Each call judges anew. Faults:
 * `repository.unknown`, `manifest.unknown`, `manifest.invalid`, `blob.unknown`, `blob.corrupt`, `upload.unknown`,
 * `upload.out-of-order`, `digest.invalid`, `digest.mismatch`, `quota.exceeded`, `policy.forbidden` for what the caller may see but not do.
 */
export interface Repository {
  /** Names in order. */
  tags(page: NamePage): Promise<string[]>
  /** By tag or digest. */
  manifest(reference: string, signal: AbortSignal): Promise<ManifestAnswer>
  /** Answers once it is durable. `subject`: what it says something about. */
  putManifest(
    reference: string,
    manifest: { readonly mediaType: string; readonly content: Buffer },
  ): Promise<{ readonly digest: Digest; readonly subject: Digest | null }>
  /** A tag goes alone; a digest goes with all its tags. */
  deleteManifest(reference: string): Promise<void>
  blob(digest: string): Promise<{ readonly size: number }>
  openBlob(
    digest: string,
    range: ByteRange | null,
    signal: AbortSignal,
  ): Promise<{ readonly size: number; readonly body: Readable }>
  deleteBlob(digest: string): Promise<void>
  /** Whether the repository has it now, without an upload: it is in an image that the caller may see. */
  mount(digest: string): Promise<boolean>
  beginUpload(): Promise<UploadId>
  received(id: string): Promise<number>
  append(id: string, body: Readable, offset: number | null, signal: AbortSignal): Promise<number>
  finishUpload(id: string, digest: string): Promise<{ readonly digest: Digest; readonly size: number }>
  cancelUpload(id: string): Promise<void>
  referrers(digest: string, artifactType: string | null): Promise<ReferrerView[]>
}

export interface FoundRepository {
  /** With its namespace. */
  readonly name: string
  readonly isPublic: boolean
  readonly isOwn: boolean
}

/** What only a registry shows. */
export interface RegistryVerbs {
  /** `name` with its namespace. Does not tell whether there is such a repository. Throws `repository.invalid`. */
  repository(caller: Caller, name: string): Repository
  /** What a host asks for with a pass. Throws `auth.required` when the pass is none of this host's. */
  forHost(hostId: HostId, pass: string, name: string): Repository
  /** May the caller do this at all? For tokens, which say so beforehand. Does not tell whether there is such a repository. */
  mayPush(caller: Caller, name: string): Promise<boolean>
  /** With their namespaces: the project's own, and those of others in which it may see an image. */
  repositories(caller: Caller, page: NamePage): Promise<string[]>
  search(caller: Caller, term: string, limit: number): Promise<FoundRepository[]>
  /** Frees what nobody needs any more. Administrators only. */
  sweep(
    caller: Caller,
    signal: AbortSignal,
  ): Promise<{ readonly manifests: number; readonly blobs: number; readonly bytes: number }>
  /** Reads all of the store again; answers what is not sound. Administrators only. */
  verify(
    caller: Caller,
    signal: AbortSignal,
  ): Promise<{ readonly checked: number; readonly corrupt: readonly Digest[] }>
  /** Where an image came from and who stands on it. */
  provenance(caller: Caller, image: Image): Promise<Provenance>
}

export interface Provenance {
  readonly mediaType: string
  readonly platforms: readonly string[]
  /** Of the image itself, or of this platform's. */
  readonly layers: readonly { readonly digest: Digest; readonly bytes: number; readonly createdBy: string }[]
  /** A user's name. */
  readonly pushedBy: string | null
  readonly pushedAt: number
  /** Names of the project's containers that run it. */
  readonly usedBy: readonly string[]
  readonly signatures: readonly { readonly digest: Digest; readonly verified: boolean | null }[]
}
