import { Readable, type Writable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { ByteRange, SelfWritingBody } from '@gantry/control'
import type { Digest } from '@gantry/model'
import type { SharedFile } from './shared-file.ts'

/** Large enough that reading costs few calls, small enough for a thousand readers. Bytes. */
const chunkSize = 256 << 10
/** While one is filled, the others are on their way. */
const buffersOfWriting = 3

/**
 * What is in a file, or a part of it. Lets go of the file when it ends or is destroyed. With `checked` the last bytes come
 * only when that is fulfilled, and never if it is not.
 */
export class BlobBody extends Readable implements SelfWritingBody {
  readonly #file: SharedFile
  readonly #digest: Digest
  readonly #end: number
  readonly #checked: Promise<unknown>
  #at: number

  constructor(file: SharedFile, digest: Digest, { start, end }: ByteRange, checked: Promise<unknown>) {
    super({ highWaterMark: 2 * chunkSize })
    this.#file = file
    this.#digest = digest
    this.#at = start
    this.#end = end + 1
    this.#checked = checked
    // Told to whoever reads to the end; nobody may.
    checked.catch(() => undefined)
  }

  override _read(): void {
    this.#next().then(
      (chunk) => void this.push(chunk),
      (error: unknown) => void this.destroy(asError(error)),
    )
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Closing waits for a read that is under way.
    this.#file.release().then(
      () => done(error),
      (failed: unknown) => done(error ?? asError(failed)),
    )
  }

  async writeTo(to: Writable): Promise<void> {
    // Whoever destroys it is told by the promise.
    this.on('error', () => undefined)
    const { promise: broken, reject } = Promise.withResolvers<never>()
    const brokeOff = () => reject(new Error('the reader broke off'))
    // A write to a connection that ends then may never be answered.
    to.once('close', brokeOff)
    broken.catch(() => undefined)
    try {
      await Promise.race([this.#writeAll(to), broken])
    } finally {
      to.off('close', brokeOff)
      this.destroy()
    }
  }

  async #writeAll(to: Writable): Promise<void> {
    const slots = Array.from({ length: buffersOfWriting }, () => ({
      buffer: Buffer.allocUnsafeSlow(Math.min(chunkSize, Math.max(this.#end - this.#at, 0))),
      taken: Promise.resolve(),
    }))
    for (let turn = 0; this.#at < this.#end; turn += 1) {
      const slot = slots[turn % slots.length]
      await slot?.taken
      if (this.destroyed || to.destroyed || !slot) throw new Error('the download broke off')
      const chunk = slot.buffer.subarray(0, Math.min(chunkSize, this.#end - this.#at))
      await this.#fill(chunk)
      slot.taken = written(to, chunk)
      slot.taken.catch(() => undefined)
    }
    await this.#checked
    await Promise.all(slots.map(({ taken }) => taken))
  }

  /** The next bytes; the last of them only when all are known to be right. */
  async #fill(chunk: Buffer): Promise<void> {
    if (chunk.length > 0 && (await this.#file.read(chunk, this.#at)) < chunk.length) {
      throw new Fault('blob.corrupt', { digest: this.#digest })
    }
    this.#at += chunk.length
    if (this.#at >= this.#end) await this.#checked
  }

  async #next(): Promise<Buffer | null> {
    const chunk = Buffer.allocUnsafeSlow(Math.max(Math.min(chunkSize, this.#end - this.#at), 0))
    await this.#fill(chunk)
    return chunk.length > 0 ? chunk : null
  }
}

function written(to: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}
