/** Tells those who wait for the end of an exec that the engine has announced it. */
export interface ExecEnds {
  wait(execId: string): ExecEnd
  ended(execId: string): void
  /** The announcements were interrupted: everybody looks for himself. */
  lost(): void
}

export interface ExecEnd {
  /**
   * Resolves when the engine has announced the end since the last call (or since `wait`), or may have: then look, and
   * come again if it still runs.
   */
  announced(signal: AbortSignal): Promise<void>
  forget(): void
}

export function execEnds(): ExecEnds {
  const waiting = new Map<string, () => void>()
  const all = () => {
    for (const resume of waiting.values()) resume()
  }
  return {
    wait: (execId) => {
      let heard = false
      let wake = () => {}
      waiting.set(execId, () => {
        heard = true
        wake()
      })
      return {
        announced: async (signal) => {
          signal.throwIfAborted()
          const { promise, resolve } = Promise.withResolvers<void>()
          wake = () => resolve()
          signal.addEventListener('abort', wake, { once: true })
          if (!heard) await promise
          signal.removeEventListener('abort', wake)
          signal.throwIfAborted()
          heard = false
        },
        forget: () => waiting.delete(execId),
      }
    },
    // Podman does not name the exec: then all look.
    ended: (execId) => {
      if (execId === '') all()
      else waiting.get(execId)?.()
    },
    lost: all,
  }
}
