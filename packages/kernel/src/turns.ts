/** Lets tasks of one key run one after another. */
export interface Turns {
  take<T>(key: string, task: () => Promise<T>): Promise<T>
}

export function turns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return {
    async take(key, task) {
      const before = last.get(key) ?? Promise.resolve()
      const own = before.then(task, task)
      last.set(key, own)
      try {
        return await own
      } finally {
        if (last.get(key) === own) last.delete(key)
      }
    },
  }
}
