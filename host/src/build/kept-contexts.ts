import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Fault, type Ids } from '@gantry/kernel'
import type { FileTree } from './file-tree.ts'
import { readTree } from './read-tree.ts'

export interface BuildContext extends AsyncDisposable {
  readonly tree: FileTree
  /** For what the build itself must put down for a while. */
  readonly folder: string
}

interface Kept extends BuildContext {
  readonly timer: NodeJS.Timeout
}

/** How long a context waits for its build, ms. */
const waitMs = 600_000
/** Contexts that wait at once; each may be large. */
const mostWaiting = 32

/** Contexts that came in and wait to be built, each in a folder of its own below `root`, which holds nothing else. */
export class KeptContexts {
  readonly #root: string
  readonly #ids: Ids
  readonly #kept = new Map<string, Kept>()
  #coming = 0
  #cleared: Promise<void> | null = null

  constructor(root: string, ids: Ids) {
    this.#root = root
    this.#ids = ids
  }

  /**
   * Takes a context in, and keeps it if `check` finds no fault with it. Throws `build.busy`, and `BuildError` for what is no
   * tar.
   */
  async add(tar: Readable, signal: AbortSignal, check: (tree: FileTree) => Promise<void>): Promise<string> {
    if (this.#kept.size + this.#coming >= mostWaiting) throw new Fault('build.busy', { limit: mostWaiting })
    this.#coming += 1
    const id = this.#ids.hex(16)
    const folder = join(this.#root, id)
    const dispose = () => rm(folder, { recursive: true, force: true })
    try {
      await this.clear()
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const tree = await readTree(tar, join(folder, 'context'), signal)
      await check(tree)
      const timer = setTimeout(() => void this.#drop(id), waitMs)
      timer.unref()
      this.#kept.set(id, { tree, folder, timer, [Symbol.asyncDispose]: dispose })
      return id
    } catch (error) {
      await dispose()
      throw error
    } finally {
      this.#coming -= 1
    }
  }

  /** Hands a context over to who builds it and disposes of it. null: it is not here (any more). */
  take(id: string): BuildContext | null {
    const kept = this.#kept.get(id)
    if (!kept) return null
    clearTimeout(kept.timer)
    this.#kept.delete(id)
    return kept
  }

  /** Removes what an agent before this one left. Only the first call does anything. */
  clear(): Promise<void> {
    this.#cleared ??= rm(this.#root, { recursive: true, force: true })
    return this.#cleared
  }

  async close(): Promise<void> {
    await Promise.all([...this.#kept.keys()].map((id) => this.#drop(id)))
  }

  async #drop(id: string): Promise<void> {
    await this.take(id)?.[Symbol.asyncDispose]()
  }
}
