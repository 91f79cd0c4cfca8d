import { orAborted } from '@gantry/kernel'

/** Work that several want at once and that is done once. */
export interface SharedWork<T> {
  /**
   * Joins what is under way for `key`, or begins it. Who goes away (by the signal) ends it only for himself; what nobody waits
   * for any more is given up.
   */
  join(key: string, task: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>
}

interface Work<T> {
  readonly done: Promise<T>
  readonly ending: AbortController
  waiting: number
}

/** `lingerMs`: how long work goes on that nobody waits for, since who was interrupted often comes again at once. */
export function sharedWork<T>(lingerMs = 5000): SharedWork<T> {
  const all = new Map<string, Work<T>>()

  const begin = (key: string, task: (signal: AbortSignal) => Promise<T>): Work<T> => {
    const ending = new AbortController()
    const work: Work<T> = { done: task(ending.signal), ending, waiting: 0 }
    all.set(key, work)
    const forget = () => {
      if (all.get(key) === work) all.delete(key)
    }
    work.done.then(forget, forget)
    return work
  }
  const leave = (key: string, work: Work<T>) => {
    work.waiting -= 1
    if (work.waiting > 0) return
    setTimeout(() => {
      if (work.waiting > 0) return
      // Who comes now must not join what is ending.
      if (all.get(key) === work) all.delete(key)
      work.ending.abort(new Error('nobody waits for it any more'))
    }, lingerMs).unref()
  }

  return {
    async join(key, task, signal) {
      signal.throwIfAborted()
      const work = all.get(key) ?? begin(key, task)
      work.waiting += 1
      try {
        return await orAborted(work.done, signal)
      } finally {
        leave(key, work)
      }
    },
  }
}
