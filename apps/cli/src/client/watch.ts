import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerView, EventView } from '@gantry/facade-native'
import { Failure } from '../failure.ts'
import type { Api } from './api.ts'
import { openEvents } from './events.ts'

/** What became of a container: its newest state, or that it is gone with what the last event said. */
export type Outcome =
  | { readonly gone: false; readonly container: ContainerView }
  | { readonly gone: true; readonly exitCode: number | null }

const reconnects = 8
/** How long until it looks again at what it heard nothing of. Milliseconds. */
const unheardMs = 3000
/** Containers whose last event is kept. */
const remembered = 1000

/**
 * Waits for things to happen to containers. It listens from before the first request, and each event is only the sign to
 * look again, so neither order nor loss of events can mislead it. A lost stream is opened again, and then everybody looks.
 */
export class ContainerWatch implements AsyncDisposable {
  readonly #api: Api
  readonly #stop = new AbortController()
  readonly #last = new Map<string, EventView>()
  #opened = 0
  #changed = silent(Promise.withResolvers<void>())
  #listening: Promise<void> = Promise.resolve()

  private constructor(api: Api) {
    this.#api = api
  }

  /** Resolves once the stream is open. */
  static async open(api: Api): Promise<ContainerWatch> {
    const watch = new ContainerWatch(api)
    const events = await openEvents(api, false, watch.#stop.signal)
    watch.#listening = watch.#listen(events)
    return watch
  }

  /** Resolves when `done` says so of the container, or when it is gone. */
  async until(id: string, done: (container: ContainerView) => boolean): Promise<Outcome> {
    for (;;) {
      const event = this.#last.get(id)
      const opened = this.#opened
      const container = await this.#look(id)
      if (container === undefined) return { gone: true, exitCode: this.#last.get(id)?.exitCode ?? null }
      if (done(container)) return { gone: false, container }
      // An administrator may wait for what is in another project, and hears nothing of it.
      const again = sleep(unheardMs, undefined, { signal: this.#stop.signal, ref: false }).then(() => true)
      // What happened while it looked leaves nobody to wait for this, and the end of the watch breaks it off.
      again.catch(() => {})
      const isSilent = () => this.#last.get(id) === event && this.#opened === opened
      for (let late = false; !late && isSilent(); )
        late = await Promise.race([again, this.#changed.promise.then(() => false)])
    }
  }

  /** Resolves when something happens to any container after this call; take it before you look. */
  next(): Promise<void> {
    return this.#changed.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#listening
  }

  async #look(id: string): Promise<ContainerView | undefined> {
    try {
      return await this.#api.container(id)
    } catch (error) {
      if (error instanceof Failure && error.code === 'container.not-found') return undefined
      throw error
    }
  }

  async #listen(first: AsyncIterable<EventView>): Promise<void> {
    let events = first
    for (let attempt = 0; attempt < reconnects; ) {
      try {
        for await (const event of events) {
          attempt = 0
          this.#remember(event)
          this.#wake()
        }
      } catch {
        // The stream broke; it is opened again below.
      }
      if (this.#stop.signal.aborted) return
      const reopened = await this.#reopen(250 * 2 ** attempt)
      attempt += 1
      if (!reopened) continue
      events = reopened
      this.#opened += 1
      this.#wake()
    }
    const remedy = '`gantry ps -a` shows how things are.'
    this.#changed.reject(new Failure('The connection to the server was lost.', { remedy }))
  }

  async #reopen(waitMs: number): Promise<AsyncIterable<EventView> | undefined> {
    try {
      await sleep(Math.min(waitMs, 5000), undefined, { signal: this.#stop.signal })
      return await openEvents(this.#api, false, this.#stop.signal)
    } catch {
      return undefined
    }
  }

  #remember(event: EventView): void {
    this.#last.delete(event.id)
    this.#last.set(event.id, event)
    const [oldest] = this.#last.keys()
    if (this.#last.size > remembered && oldest !== undefined) this.#last.delete(oldest)
  }

  #wake(): void {
    const { resolve } = this.#changed
    this.#changed = silent(Promise.withResolvers<void>())
    resolve()
  }
}

/** Nobody may be waiting when the stream fails for good; that is no unhandled rejection. */
function silent(resolvers: PromiseWithResolvers<void>): PromiseWithResolvers<void> {
  resolvers.promise.catch(() => {})
  return resolvers
}
