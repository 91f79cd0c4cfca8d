import { open, rename, rm, stat, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { BlobStore, ByteRange, Log } from '@gantry/control'
import { type Clock, Fault, type Turns, turns } from '@gantry/kernel'
import type { Digest } from '@gantry/model'
import { BlobBody } from './blob-body.ts'
import { type Layout, layoutOf, makeFolder, syncFolder, unlessAbsent } from './layout.ts'
import { listBlobs, listUploads } from './list-files.ts'
import { printOf, SharedFile } from './shared-file.ts'
import { isSound, SoundFiles } from './sound-files.ts'
import { Uploads } from './uploads.ts'

export interface EmbeddedBlobsOptions {
  /** Nobody else's: one process at a time, one file system. Made if it is not there. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
}

/** Up to here the whole of a blob is checked before its first byte is given out: an error can still be told. Bytes. */
const smallBlob = 1 << 20

/** Blobs in files. Each is read through once in the life of a process, and again when its file has changed since. */
export async function embeddedBlobs({ folder, clock, log }: EmbeddedBlobsOptions): Promise<BlobStore> {
  const layout = layoutOf(folder)
  for (const each of [layout.blobs, layout.uploads, layout.setAside]) await makeFolder(each)
  return new EmbeddedBlobs(layout, clock, log)
}

class EmbeddedBlobs implements BlobStore {
  readonly #layout: Layout
  readonly #clock: Clock
  readonly #log: Log
  readonly #uploads: Uploads
  readonly #sound = new SoundFiles()
  /** By digest: what changes which file stands for it. */
  readonly #turns: Turns = turns()

  readonly begin: BlobStore['begin']
  readonly received: BlobStore['received']
  readonly append: BlobStore['append']
  readonly abort: BlobStore['abort']

  constructor(layout: Layout, clock: Clock, log: Log) {
    this.#layout = layout
    this.#clock = clock
    this.#log = log
    const uploads = new Uploads(layout, clock)
    this.#uploads = uploads
    this.begin = (id) => uploads.begin(id)
    this.received = (id) => uploads.received(id)
    this.append = (id, body, options, signal) => uploads.append(id, body, options, signal)
    this.abort = (id) => uploads.abort(id)
  }

  async stat(digest: Digest) {
    const found = await unlessAbsent(() => stat(this.#layout.blob(digest)))
    return found && { size: found.size }
  }

  async open(digest: Digest, range?: ByteRange) {
    const file = await unlessAbsent(() => SharedFile.open(this.#layout.blob(digest)))
    if (!file) throw new Fault('blob.unknown', { digest })
    try {
      const { size } = file
      const part = range ?? { start: 0, end: size - 1 }
      if (part.start < 0 || part.end >= size) {
        throw new Fault('request.invalid', { problem: `The content has ${size} bytes, and no such range of them.` })
      }
      const checked = this.#sound.isKnown(digest, file.print) ? Promise.resolve() : this.#checked(digest, file)
      if (range || size <= smallBlob) await checked
      return { size, body: new BlobBody(file, digest, part, checked) }
    } catch (error) {
      await file.release()
      throw error
    }
  }

  async finish(id: Parameters<BlobStore['finish']>[0], digest: Digest) {
    return await this.#uploads.finish(id, digest, {
      place: (path) => this.#turns.take(digest, () => this.#place(path, this.#layout.done(id), digest)),
      wasPlaced: () => this.stat(digest),
    })
  }

  /** Puts a file that was hashed to `digest` in its place, over one that may be there: that one may have gone bad. */
  async #place(path: string, done: string, digest: Digest): Promise<{ size: number }> {
    const file = await open(path, 'r+')
    try {
      const now = this.#clock.now() / 1000
      await file.utimes(now, now)
      await file.sync()
    } finally {
      await file.close()
    }
    const blob = this.#layout.blob(digest)
    await makeFolder(dirname(blob))
    await rm(done, { force: true })
    await symlink(digest, done)
    await rename(path, blob)
    await syncFolder(dirname(blob))
    await rm(this.#layout.corrupt(digest), { force: true })
    const stats = await stat(blob, { bigint: true })
    this.#sound.note(digest, printOf(stats))
    return { size: Number(stats.size) }
  }

  async remove(digest: Digest) {
    await this.#turns.take(digest, async () => {
      this.#sound.forget(digest)
      await rm(this.#layout.corrupt(digest), { force: true })
      const blob = this.#layout.blob(digest)
      if (!(await unlessAbsent(() => stat(blob)))) return
      await rm(blob, { force: true })
      await syncFolder(dirname(blob))
    })
  }

  blobs() {
    return listBlobs(this.#layout)
  }

  uploads() {
    return listUploads(this.#layout)
  }

  async verify(digest: Digest, signal: AbortSignal) {
    const file = await unlessAbsent(() => SharedFile.open(this.#layout.blob(digest)))
    if (!file) return 'absent'
    try {
      if (await isSound(digest, file, signal)) {
        this.#sound.note(digest, file.print)
        return 'sound'
      }
      await this.#setAside(digest, file)
      return 'corrupt'
    } finally {
      await file.release()
    }
  }

  /** Throws `blob.corrupt`. */
  async #checked(digest: Digest, file: SharedFile): Promise<void> {
    if (await this.#sound.check(digest, file)) return
    await this.#setAside(digest, file)
    throw new Fault('blob.corrupt', { digest })
  }

  /** Unless another file has taken its place since it was opened. */
  async #setAside(digest: Digest, { print }: SharedFile): Promise<void> {
    await this.#turns.take(digest, async () => {
      const blob = this.#layout.blob(digest)
      const stats = await unlessAbsent(() => stat(blob, { bigint: true }))
      if (!stats || printOf(stats) !== print) return
      this.#sound.forget(digest)
      await rename(blob, this.#layout.corrupt(digest))
      await syncFolder(dirname(blob))
      this.#log.error({ digest }, 'a stored blob does not fit its digest any more and was set aside')
    })
  }
}
