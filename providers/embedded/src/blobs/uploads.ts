import { type FileHandle, open, readlink, rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { UploadId } from '@gantry/control'
import { type Clock, Fault, SoleWork } from '@gantry/kernel'
import { type Digest, digestAlgorithm } from '@gantry/model'
import { FileSink } from './file-sink.ts'
import { type Layout, syncFolder, unlessAbsent, writing } from './layout.ts'
import { printOf, SharedFile } from './shared-file.ts'
import { digestOf } from './sound-files.ts'
import { RunningHash, UploadHashes } from './upload-hashes.ts'

/** Files that are on their way to become blobs. One thing at a time happens to each. */
export class Uploads {
  readonly #layout: Layout
  readonly #clock: Clock
  readonly #hashes = new UploadHashes()
  readonly #work = new SoleWork<UploadId, 'append' | 'finish'>()

  constructor(layout: Layout, clock: Clock) {
    this.#layout = layout
    this.#clock = clock
  }

  async begin(id: UploadId): Promise<void> {
    await writing(async () => {
      const file = await open(this.#layout.upload(id), 'a', 0o600)
      try {
        await file.utimes(this.#clock.now() / 1000, this.#clock.now() / 1000)
      } finally {
        await file.close()
      }
      await syncFolder(this.#layout.uploads)
    })
  }

  async received(id: UploadId): Promise<number> {
    const found = await unlessAbsent(() => stat(this.#layout.upload(id)))
    if (!found) throw unknown(id)
    return found.size
  }

  async append(
    id: UploadId,
    body: Readable,
    { offset, limit }: { readonly offset: number | null; readonly limit: number },
    signal: AbortSignal,
  ): Promise<number> {
    return await this.#work.run(id, { kind: 'append', refusal: () => this.#refusal(id) }, async (stop) => {
      const file = await unlessAbsent(() => open(this.#layout.upload(id), 'r+'))
      if (!file) throw unknown(id)
      try {
        const stats = await file.stat({ bigint: true })
        const size = Number(stats.size)
        if (offset !== null && offset !== size) throw outOfOrder(id, size)
        const hash = this.#hashes.take(id, printOf(stats)) ?? (size === 0 ? new RunningHash() : null)
        await this.#write(id, file, { body, size, limit, hash, signal: AbortSignal.any([signal, stop]) })
        return (await file.stat()).size
      } catch (error) {
        throw stop.aborted ? unknown(id) : error
      } finally {
        await file.close()
      }
    })
  }

  async #write(
    id: UploadId,
    file: FileHandle,
    {
      body,
      size,
      limit,
      hash,
      signal,
    }: { body: Readable; size: number; limit: number; hash: RunningHash | null; signal: AbortSignal },
  ): Promise<void> {
    const sink = new FileSink(file, size, limit)
    await writing(async () => {
      try {
        await pipeline(
          body,
          async (source: AsyncIterable<Buffer>) => {
            for await (const chunk of source) {
              await sink.take(chunk)
              // While the disk is at work.
              hash?.take(chunk)
            }
          },
          { signal },
        )
      } finally {
        await sink.end()
        const now = this.#clock.now() / 1000
        await file.utimes(now, now)
        const stats = await file.stat({ bigint: true })
        if (hash && Number(stats.size) === hash.size) this.#hashes.keep(id, printOf(stats), hash)
      }
    })
  }

  /**
   * Calls `place` with the file if it is what `digest` says. An upload that was placed before is so again: `wasPlaced` is called. No
   * other digest is taken for it, or one could get at content by its digest alone.
   */
  async finish<T>(
    id: UploadId,
    digest: Digest,
    { place, wasPlaced }: { readonly place: (path: string) => Promise<T>; readonly wasPlaced: () => Promise<T | null> },
  ): Promise<T> {
    const terms = { kind: 'finish', waitsFor: 'finish', refusal: () => this.#refusal(id) } as const
    return await this.#work.run(id, terms, async () => {
      const path = this.#layout.upload(id)
      const file = await unlessAbsent(() => SharedFile.open(path))
      if (!file) {
        const became = await unlessAbsent(() => readlink(this.#layout.done(id)))
        const placed = became === digest ? await wasPlaced() : null
        if (placed === null) throw unknown(id)
        return placed
      }
      try {
        const actual = await this.#digestOf(id, file, digestAlgorithm(digest))
        if (actual !== digest) throw new Fault('digest.mismatch', { digest, actual })
      } finally {
        await file.release()
      }
      const placed = await writing(() => place(path))
      this.#hashes.forget(id)
      return placed
    })
  }

  async #digestOf(id: UploadId, file: SharedFile, algorithm: 'sha256' | 'sha512'): Promise<string> {
    const hash = this.#hashes.take(id, file.print)
    if (hash) this.#hashes.keep(id, file.print, hash)
    return algorithm === 'sha256' && hash ? hash.digest() : await digestOf(file, algorithm, file.size)
  }

  async abort(id: UploadId): Promise<void> {
    const path = this.#layout.upload(id)
    await this.#work.stop(id)
    this.#hashes.forget(id)
    await rm(path, { force: true })
    await rm(this.#layout.done(id), { force: true })
  }

  async #refusal(id: UploadId): Promise<Fault> {
    return outOfOrder(id, await this.received(id))
  }
}

function unknown(id: UploadId): Fault {
  return new Fault('upload.unknown', { upload: id })
}

function outOfOrder(id: UploadId, received: number): Fault {
  return new Fault('upload.out-of-order', { upload: id, received })
}
