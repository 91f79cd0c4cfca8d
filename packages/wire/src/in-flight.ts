/** So many at once; then the peer has to wait. */
const most = 256

/** Work that was begun in order and need not have ended before the next begins. The first failure is thrown at whoever comes next. */
export class InFlight {
  readonly #works = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | null = null
  readonly #failed: () => void
  /** Lets on whoever waits for room. Not a race of all works: that would cost as much with every message. */
  #ended: () => void = () => {}

  /** `failed` is called when work fails: it may be long until something comes next. */
  constructor(failed: () => void = () => {}) {
    this.#failed = failed
  }

  get hasFailed(): boolean {
    return this.#failure !== null
  }

  /** Settles when there is room for more. */
  async add(work: Promise<void>): Promise<void> {
    // Taken in even after a failure: it has begun, and that it fails as well must not go unheard, which ends a process.
    const mine: Promise<void> = work
      .catch((error: unknown) => {
        this.#failure ??= { error }
        this.#failed()
      })
      .finally(() => {
        this.#works.delete(mine)
        this.#ended()
      })
    this.#works.add(mine)
    while (this.#works.size >= most) {
      await new Promise<void>((resolve) => {
        this.#ended = resolve
      })
    }
    this.#throwFailure()
  }

  /** Settles when all have ended. */
  async settled(): Promise<void> {
    await this.ended()
    this.#throwFailure()
  }

  /** Likewise, whatever became of them. */
  async ended(): Promise<void> {
    await Promise.all(this.#works)
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error
  }
}
