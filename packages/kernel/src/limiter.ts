/** Runs at most `width` tasks at once; the others wait their turn in order. */
export function limiter(width: number): <T>(task: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (task) => {
    if (running >= width) await new Promise<void>((resume) => waiting.push(resume))
    else running += 1
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      // The slot is handed over, not freed, so a newcomer cannot overtake the queue.
      if (next) next()
      else running -= 1
    }
  }
}
