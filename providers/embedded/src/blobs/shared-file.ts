import { type FileHandle, open } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'

/** A file that several read at the same time, at positions of their own; the last to let go of it closes it. */
export class SharedFile {
  readonly size: number
  /** Another one means that it may have changed. */
  readonly print: string
  readonly #handle: FileHandle
  #users = 1

  private constructor(handle: FileHandle, stats: BigIntStats) {
    this.#handle = handle
    this.size = Number(stats.size)
    this.print = printOf(stats)
  }

  /** Open, and held once. */
  static async open(path: string): Promise<SharedFile> {
    const handle = await open(path, 'r')
    try {
      return new SharedFile(handle, await handle.stat({ bigint: true }))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  hold(): this {
    this.#users += 1
    return this
  }

  async release(): Promise<void> {
    this.#users -= 1
    if (this.#users === 0) await this.#handle.close()
  }

  /** Bytes read into `target`; fewer than fit only at the end of the file. */
  async read(target: Buffer, position: number): Promise<number> {
    let filled = 0
    while (filled < target.length) {
      const { bytesRead } = await this.#handle.read(target, filled, target.length - filled, position + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return filled
  }
}

export function printOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino}:${size}:${mtimeNs}:${ctimeNs}`
}
