import type { Readable, Writable } from 'node:stream'
import type { Brand } from '@gantry/kernel'
import type { Digest } from '@gantry/model'

export type UploadId = Brand<string, 'UploadId'>

/** Inclusive, as in HTTP. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A body that can also write itself, with a few buffers that it uses again: large downloads leave no garbage behind. */
export interface SelfWritingBody extends Readable {
  /**
   * Instead of reading it. Resolves when `to` has taken all, which it does not end; rejects when either of them breaks off. Lets go
   * of the file in any case.
   */
  writeTo(to: Writable): Promise<void>
}

/**
 * Keeps bytes under their digest: the embedded one in files, others in Glance or Swift. What it answers is what was put in:
 * content that does not fit its digest any more is `blob.corrupt`, at `open` if that is known, else before the end of the stream.
 * Everything may be repeated after a kill -9 at any point; what was finished stays, what was appended and acknowledged too.
 * Who may see what, and what is still needed, is the catalogue's to know.
 */
export interface BlobStore {
  /** null: it is not here. */
  stat(digest: Digest): Promise<{ readonly size: number } | null>
  /** Throws `blob.unknown`. A reader that lets go of the stream lets go of the file. The body may be a `SelfWritingBody`. */
  open(digest: Digest, range?: ByteRange): Promise<{ readonly size: number; readonly body: Readable }>

  /** Begins an upload; that it is there already is no matter. */
  begin(id: UploadId): Promise<void>
  /** Bytes received and kept. Throws `upload.unknown`. */
  received(id: UploadId): Promise<number>
  /**
   * Adds what `body` gives, and answers how many bytes there are now. `offset`: where the body begins; throws
   * `upload.out-of-order` if that is not the end of what was received. A body that breaks off leaves what had come. `limit`: most
   * bytes of the whole upload; more is `request.too-large`. One writer at a time: a second one is `upload.out-of-order`.
   */
  append(
    id: UploadId,
    body: Readable,
    options: { readonly offset: number | null; readonly limit: number },
    signal: AbortSignal,
  ): Promise<number>
  /**
   * The upload becomes the blob, durably. Throws `digest.mismatch`, and keeps the upload then. The blob being there already is
   * success. Repeatable for the same digest
   * while the blob is there, until `abort` lets go of what the upload left; for another digest it is `upload.unknown`.
   */
  finish(id: UploadId, digest: Digest): Promise<{ readonly size: number }>
  /** Throws nothing for one that is not there. */
  abort(id: UploadId): Promise<void>
  /** Throws nothing for one that is not there. Readers that have it open read on. */
  remove(digest: Digest): Promise<void>

  /** What is there, for sweeps: by nobody's word but its own. */
  blobs(): AsyncIterable<{ readonly digest: Digest; readonly size: number; readonly changedAt: number }>
  uploads(): AsyncIterable<{ readonly id: UploadId; readonly changedAt: number }>
  /** Reads a blob again from its first byte to its last. */
  verify(digest: Digest, signal: AbortSignal): Promise<'sound' | 'corrupt' | 'absent'>
}
