import { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import type { ByteRange } from '@gantry/control'
import type { Digest } from '@gantry/model'
import type { SharedFile } from './shared-file.ts'

/** Large enough that reading costs few calls, small enough for a thousand readers. Bytes. */
const chunkSize = 256 << 10

/**
 * What is in a file, or a part of it. Lets go of the file when it ends or is destroyed. With `checked` the last bytes come
 * only when that is fulfilled, and never if it is not.
 */
export class BlobBody extends Readable {
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

  async #next(): Promise<Buffer | null> {
    const size = Math.min(chunkSize, this.#end - this.#at)
    const chunk = Buffer.allocUnsafeSlow(Math.max(size, 0))
    if (size > 0 && (await this.#file.read(chunk, this.#at)) < size) {
      throw new Fault('blob.corrupt', { digest: this.#digest })
    }
    this.#at += size
    if (this.#at >= this.#end) await this.#checked
    return size > 0 ? chunk : null
  }
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}
