/**
 * Runs `task` again and again, never twice at once. A call made while one waits for its turn joins that one, so that any
 * number of changes in a short time cost two runs; a call never joins one that has begun, which may not know its change yet.
 */
export function latestOnly(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | null = null
  return () => {
    waiting ??= running.then(() => {
      waiting = null
      const mine = task()
      running = mine.catch(() => undefined)
      return mine
    })
    return waiting
  }
}
