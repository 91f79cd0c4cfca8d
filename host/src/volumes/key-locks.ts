/** Runs tasks that share a key one after another, in the order they came; those of different keys do not wait. */
export interface KeyLocks {
  run<T>(keys: readonly string[], task: () => Promise<T>): Promise<T>
}

/** A task that runs under some keys may take more only in one order common to all; it must not take one of its own again. */
export function keyLocks(): KeyLocks {
  const tails = new Map<string, Promise<void>>()
  return {
    run: async (keys, task) => {
      const own = Promise.withResolvers<void>()
      // Queued at all keys in one go, so two tasks can never wait for each other.
      const before = [...new Set(keys)].map((key) => {
        const tail = tails.get(key) ?? Promise.resolve()
        tails.set(key, own.promise)
        return tail
      })
      try {
        await Promise.all(before)
        return await task()
      } finally {
        for (const key of keys) if (tails.get(key) === own.promise) tails.delete(key)
        own.resolve()
      }
    },
  }
}
