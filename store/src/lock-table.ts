/** Locks within this process, in the order in which they were asked for: whoever waits, waits only for those before. */
export class LockTable {
  /** The last that asked for each key, and for all. */
  readonly #tails = new Map<string, Promise<void>>()
  #barrier: Promise<void> = Promise.resolve()
  /** Those that asked for some keys since the last that asked for all. */
  #since = new Set<Promise<void>>()

  /** Resolves, with what gives them back, when nobody before holds one of the keys; none: when nobody holds any. */
  async take(keys: readonly string[]): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = keys.length === 0 ? [...this.#since] : keys.flatMap((key) => this.#tails.get(key) ?? [])
    before.push(this.#barrier)
    if (keys.length === 0) this.#exclude(promise)
    else this.#share(keys, promise)
    await Promise.all(before)
    return resolve
  }

  #exclude(mine: Promise<void>): void {
    this.#barrier = mine
    this.#since = new Set()
    this.#tails.clear()
  }

  #share(keys: readonly string[], mine: Promise<void>): void {
    const among = this.#since
    among.add(mine)
    for (const key of keys) this.#tails.set(key, mine)
    void mine.then(() => {
      among.delete(mine)
      for (const key of keys) if (this.#tails.get(key) === mine) this.#tails.delete(key)
    })
  }
}
