import { fullImageName } from './full-image-name.ts'

/**
 * For a while a public name of the engine may stand for what is one project's own: when it was pulled with a password, or is
 * being pushed. Meanwhile nobody else may run, pull or push that name.
 */
export interface NameHolds {
  /** Waits for one's turn; dispose of it at the end. Rejects when the signal is aborted first. */
  hold(name: string, signal: AbortSignal): Promise<Disposable>
  /** Resolves when nobody holds it. */
  free(name: string, signal: AbortSignal): Promise<void>
}

export function nameHolds(): NameHolds {
  // The end of the last in each line.
  const last = new Map<string, Promise<void>>()
  return {
    async hold(name, signal) {
      const key = keyOf(name)
      const before = last.get(key) ?? Promise.resolve()
      const own = Promise.withResolvers<void>()
      const turn = before.then(() => own.promise)
      last.set(key, turn)
      const release = () => {
        own.resolve()
        if (last.get(key) === turn) last.delete(key)
      }
      try {
        await orAborted(before, signal)
      } catch (error) {
        release()
        throw error
      }
      return { [Symbol.dispose]: release }
    },
    async free(name, signal) {
      await orAborted(last.get(keyOf(name)) ?? Promise.resolve(), signal)
    },
  }
}

/** Names that mean the same to an engine are one. */
function keyOf(name: string): string {
  return fullImageName(name).toLowerCase()
}

async function orAborted(waited: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([waited, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
