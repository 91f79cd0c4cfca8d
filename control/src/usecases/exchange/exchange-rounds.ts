import { reasonOf } from '@gantry/kernel'
import type { ExchangeParts } from './exchange-parts.ts'
import type { Sender } from './sender.ts'

/** What is younger may belong to a name that is just being given. Milliseconds. */
const graceMs = 10 * 60_000
const firstAfterMs = 60_000
const everyMs = 30 * 60_000

export interface ExchangeRounds extends AsyncDisposable {
  /** Sends what a dead server has left, and looks for what it has left there. */
  start(): void
  /** Once. */
  sweep(): Promise<void>
}

/** Keeps rows, entries and the image service together where a crash has left them apart. */
export function exchangeRounds(parts: ExchangeParts, sender: Sender): ExchangeRounds {
  const { store, exchange, catalogue, clock, log, cluster } = parts
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let ended = false

  async function removeOrphans(): Promise<void> {
    for (const id of await exchange.own.unfinished(clock.now() - graceMs)) {
      if (await store.exchangedImages.get(id)) continue
      await exchange.own.remove(id)
      log.warn({ image: id }, 'removed from the image service: it was announced and never named')
    }
  }

  /** Deleted there, or lost its name here, while nobody looked. */
  async function followAll(): Promise<void> {
    for (const { id } of await store.exchangedImages.list()) {
      if (ended) return
      const image = await store.images.get(id)
      if (image && !(await exchange.own.get(id))) {
        log.info({ image: id }, 'image is gone from the image service; its name goes here too')
        await catalogue.dropImages([image])
        await store.exchangedImages.remove(id)
      } else await sender.tidy(id)
    }
  }

  async function sweep(): Promise<void> {
    await sender.look()
    const tidy = async () => {
      await removeOrphans()
      await followAll()
    }
    await (cluster ? cluster.inTurn('sweep of the image service', tidy) : tidy())
  }

  function after(ms: number): void {
    if (ended) return
    timer = setTimeout(() => {
      running = sweep()
        .catch((error: unknown) => log.warn({ reason: reasonOf(error) }, 'image service not swept; trying again later'))
        .finally(() => after(everyMs))
    }, ms)
  }

  return {
    sweep,
    start() {
      sender.wake()
      after(firstAfterMs)
    },
    async [Symbol.asyncDispose]() {
      ended = true
      clearTimeout(timer)
      await sender[Symbol.asyncDispose]()
      await running
    },
  }
}
