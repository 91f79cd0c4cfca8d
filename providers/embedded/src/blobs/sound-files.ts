import { createHash } from 'node:crypto'
import { limiter } from '@gantry/kernel'
import { type Digest, digestAlgorithm } from '@gantry/model'
import type { SharedFile } from './shared-file.ts'

const chunkSize = 1 << 20
/** Files read at the same time only to check them. */
const atOnce = 2
/** How many files it is remembered of that they are sound; the least lately used one is read again when it is asked for. */
const mostRemembered = 100_000

/** Which blobs this process has seen to be what their digest says, and the one reading of each that it has not. */
export class SoundFiles {
  readonly #sound = new Map<Digest, string>()
  readonly #checks = new Map<string, Promise<boolean>>()
  readonly #turn = limiter(atOnce)

  isKnown(digest: Digest, print: string): boolean {
    if (this.#sound.get(digest) !== print) return false
    this.note(digest, print)
    return true
  }

  note(digest: Digest, print: string): void {
    this.#sound.delete(digest)
    this.#sound.set(digest, print)
    const [oldest] = this.#sound.keys()
    if (this.#sound.size > mostRemembered && oldest !== undefined) this.#sound.delete(oldest)
  }

  forget(digest: Digest): void {
    this.#sound.delete(digest)
  }

  /** Whether a file is what its digest says; all who ask about one file wait for one reading of it. */
  check(digest: Digest, file: SharedFile): Promise<boolean> {
    const key = `${digest} ${file.print}`
    const running = this.#checks.get(key)
    if (running) return running
    // Now: whoever opened it may let go of it before its turn comes.
    const held = file.hold()
    const check = this.#turn(() => this.#read(digest, held)).finally(() => this.#checks.delete(key))
    this.#checks.set(key, check)
    return check
  }

  async #read(digest: Digest, file: SharedFile): Promise<boolean> {
    try {
      const sound = await isSound(digest, file)
      if (sound) this.note(digest, file.print)
      return sound
    } finally {
      await file.release()
    }
  }
}

/** Reads the whole file. A disk that cannot read it any more is as good as another content. */
export async function isSound(digest: Digest, file: SharedFile, signal?: AbortSignal): Promise<boolean> {
  const algorithm = digestAlgorithm(digest)
  try {
    return (await digestOf(file, algorithm, file.size, signal)) === digest
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return false
    throw error
  }
}

/** Of the first `size` bytes. The next chunk is read while one is hashed. */
export async function digestOf(
  file: SharedFile,
  algorithm: 'sha256' | 'sha512',
  size: number,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm)
  let [chunk, spare] = [Buffer.allocUnsafeSlow(chunkSize), Buffer.allocUnsafeSlow(chunkSize)]
  let read = await file.read(chunk, 0)
  let at = 0
  while (read > 0) {
    signal?.throwIfAborted()
    at += read
    const next = file.read(spare, at)
    hash.update(chunk.subarray(0, Math.min(read, size - (at - read))))
    read = at < size ? await next : (await next, 0)
    ;[chunk, spare] = [spare, chunk]
  }
  return `${algorithm}:${hash.digest('hex')}`
}
