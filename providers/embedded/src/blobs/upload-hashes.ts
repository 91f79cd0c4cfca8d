import { createHash, type Hash } from 'node:crypto'
import type { UploadId } from '@gantry/control'

/** More uploads than this are hashed again from their files when they finish. */
const mostRemembered = 1000

/** How far an upload is hashed, so that nobody need read it again. */
export class RunningHash {
  readonly #hash: Hash
  #size: number

  constructor(hash: Hash = createHash('sha256'), size = 0) {
    this.#hash = hash
    this.#size = size
  }

  get size(): number {
    return this.#size
  }

  take(chunk: Buffer): void {
    this.#hash.update(chunk)
    this.#size += chunk.length
  }

  /** `sha256:…` of what it took so far. */
  digest(): string {
    return `sha256:${this.#hash.copy().digest('hex')}`
  }
}

/** Running hashes of uploads, each good only while the file is as it was left. */
export class UploadHashes {
  readonly #kept = new Map<UploadId, { readonly hash: RunningHash; readonly print: string }>()

  /** Undefined: what the file holds must be read. */
  take(id: UploadId, print: string): RunningHash | undefined {
    const kept = this.#kept.get(id)
    this.#kept.delete(id)
    return kept?.print === print ? kept.hash : undefined
  }

  keep(id: UploadId, print: string, hash: RunningHash): void {
    this.#kept.set(id, { hash, print })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > mostRemembered && oldest !== undefined) this.#kept.delete(oldest)
  }

  forget(id: UploadId): void {
    this.#kept.delete(id)
  }
}
