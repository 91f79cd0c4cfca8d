import type { ContainerView } from '@gantry/facade-native/views'
import { ApiError } from '../../api/client.ts'
import type { Ask } from '../../api/containers.ts'

export interface BulkProgress {
  readonly what: Ask
  readonly total: number
  readonly done: number
  readonly failed: readonly { readonly id: string; readonly name: string; readonly why: string }[]
  readonly isOver: boolean
}

type One = Pick<ContainerView, 'id' | 'name' | 'status'>
interface BulkOptions {
  readonly ask: (what: Ask, of: One, signal: AbortSignal) => Promise<unknown>
  readonly signal: AbortSignal
  readonly onProgress: (progress: BulkProgress) => void
  /** Milliseconds. */
  readonly pause: (ms: number) => Promise<void>
}

/** A browser has six connections, of which the events and a log may hold two. */
const atOnce = 4
const mostTries = 6

/** Asks the same of many, a few at a time. What the server is too busy for is asked again; the rest of an aborted one is not asked. */
export async function askMany(what: Ask, of: readonly One[], options: BulkOptions): Promise<void> {
  let progress: BulkProgress = { what, total: of.length, done: 0, failed: [], isOver: false }
  const tell = (next: Partial<BulkProgress>) => {
    progress = { ...progress, ...next }
    options.onProgress(progress)
  }
  const queue = [...of]
  const work = async () => {
    for (let one = queue.shift(); one && !options.signal.aborted; one = queue.shift()) {
      const why = await problemOf(what, one, options)
      const failed = why === null ? [] : [{ id: one.id, name: one.name, why }]
      tell({ done: progress.done + 1, failed: [...progress.failed, ...failed] })
    }
  }
  tell({})
  await Promise.all(Array.from({ length: Math.min(atOnce, of.length) }, work))
  tell({ isOver: true })
}

/** Why it failed, as a sentence. */
async function problemOf(what: Ask, one: One, { ask, signal, pause }: BulkOptions): Promise<string | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      await ask(what, one, signal)
      return null
    } catch (error) {
      if (signal.aborted) return 'Cancelled; it may have been asked for already.'
      // What was wished for is so.
      if (what === 'delete' && error instanceof ApiError && error.status === 404) return null
      const isBusy = error instanceof ApiError && (error.status === 429 || error.status === 503)
      if (!isBusy || tries === mostTries) return error instanceof Error ? error.message : String(error)
      await pause(500 * 2 ** (tries - 1))
    }
  }
}
