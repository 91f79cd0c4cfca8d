import type { FileHandle } from 'node:fs/promises'
import { Fault } from '@gantry/kernel'

/** What is written at once. Bytes. */
const batchSize = 1 << 20
/** How much may wait for the disk before it is asked to begin: what is left for the end is quick then. Bytes. */
const flushEvery = 32 << 20

/**
 * Writes chunks to a file, from `position` on: one batch is on its way to the disk while the next one gathers. `limit`: the
 * largest position; beyond it `request.too-large`, and nothing of what is beyond is written.
 */
export class FileSink {
  readonly #file: FileHandle
  readonly #limit: number
  #position: number
  #batch: Buffer[] = []
  #gathered = 0
  #unflushed = 0
  #writing: Promise<void> = Promise.resolve()
  #flushing: Promise<void> = Promise.resolve()

  constructor(file: FileHandle, position: number, limit: number) {
    this.#file = file
    this.#position = position
    this.#limit = limit
  }

  async take(chunk: Buffer): Promise<void> {
    if (this.#position + this.#gathered + chunk.length > this.#limit) {
      throw new Fault('request.too-large', { limit: this.#limit })
    }
    this.#batch.push(chunk)
    this.#gathered += chunk.length
    if (this.#gathered >= batchSize) await this.#write()
  }

  /** Writes what was gathered, so that it outlives a loss of power. */
  async end(): Promise<void> {
    await this.#write()
    await this.#writing
    await this.#flushing
    await this.#file.sync()
  }

  async #write(): Promise<void> {
    await this.#writing
    const batch = this.#batch
    if (batch.length === 0) return
    const position = this.#position
    this.#batch = []
    this.#position += this.#gathered
    this.#unflushed += this.#gathered
    this.#gathered = 0
    this.#writing = this.#writeAll(batch, position)
    // Thrown where it is awaited.
    this.#writing.catch(() => undefined)
    if (this.#unflushed >= flushEvery) await this.#flush()
  }

  async #writeAll(batch: Buffer[], position: number): Promise<void> {
    const { bytesWritten } = await this.#file.writev(batch, position)
    const whole = batch.reduce((size, { length }) => size + length, 0)
    if (bytesWritten < whole)
      await this.#writeAll([Buffer.concat(batch).subarray(bytesWritten)], position + bytesWritten)
  }

  async #flush(): Promise<void> {
    await this.#flushing
    this.#unflushed = 0
    this.#flushing = this.#file.datasync()
    this.#flushing.catch(() => undefined)
  }
}
