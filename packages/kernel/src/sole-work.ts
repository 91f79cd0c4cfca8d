interface Work<Kind> {
  readonly kind: Kind
  readonly stop: AbortController
  readonly ended: Promise<void>
}

interface Terms<Kind> {
  readonly kind: Kind
  /** Work of this kind is waited for. */
  readonly waitsFor?: Kind
  /** The error if there is work of any other kind. */
  readonly refusal: () => Promise<Error>
}

/** One piece of work at a time for each key: whoever finds another under way is refused, waits for its end or stops it. */
export class SoleWork<Key, Kind extends string> {
  readonly #work = new Map<Key, Work<Kind>>()

  /** The signal that `task` gets aborts when somebody stops the work. */
  async run<T>(
    key: Key,
    { kind, waitsFor, refusal }: Terms<Kind>,
    task: (stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    for (let other = this.#work.get(key); other; other = this.#work.get(key)) {
      if (other.kind !== waitsFor) throw await refusal()
      await other.ended
    }
    const stop = new AbortController()
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    this.#work.set(key, { kind, stop, ended })
    try {
      return await task(stop.signal)
    } finally {
      this.#work.delete(key)
      resolve()
    }
  }

  /** Resolves when none is under way. */
  async stop(key: Key): Promise<void> {
    for (let other = this.#work.get(key); other; other = this.#work.get(key)) {
      other.stop.abort()
      await other.ended
    }
  }
}
