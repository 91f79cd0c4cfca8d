import { type Clock, reasonOf } from '@gantry/kernel'
import type { Log } from '@gantry/control'

/** Ports that wait for a container, by what they are good for. */
export interface SparePorts<Port, Maker> {
  /** One that is ready; null: make one. Either way a use is noted, and more will be made. */
  take(key: string): Port | null
  /** A port was made, or taken, with this maker's rights; she makes those that are to be there for the next. */
  refill(key: string, maker: Maker): void
  /** Takes away those of these keys, also those that are being made. Resolves when they are gone; rejects with nothing. */
  drop(isMeant: (key: string) => boolean): Promise<void>
  close(): Promise<void>
}

export interface SparePortsOptions<Port, Maker> {
  readonly make: (key: string, maker: Maker) => Promise<Port>
  readonly discard: (port: Port) => Promise<void>
  readonly clock: Clock
  readonly log: Log
  /** Of one key, at most; 0: none are kept. */
  readonly most: number
  /** How long they wait for the next container. Milliseconds. */
  readonly idleMs: number
  /** The service is left alone for so long after a use: it has the port that was just used to bind. Milliseconds. */
  readonly restMs: number
}

interface Shelf<Port> {
  readonly ready: Port[]
  /** When ports of this key were asked for. */
  uses: number[]
  filling: Promise<void> | null
  /** Counts `drop`s: what was begun before one is not for the shelf any more. */
  epoch: number
  timer: NodeJS.Timeout | null
}

/**
 * Keeps a few ports ready where containers were made a moment ago, because making one takes Neutron longer than starting the
 * container takes the engine. There are as many as were asked for within `idleMs`, and none where nobody asks any more.
 */
export function sparePorts<Port, Maker>(options: SparePortsOptions<Port, Maker>): SparePorts<Port, Maker> {
  const { make, discard, clock, log, most, idleMs, restMs } = options
  const shelves = new Map<string, Shelf<Port>>()
  let closed = false

  const shelfOf = (key: string): Shelf<Port> => {
    const known = shelves.get(key)
    if (known) return known
    const made: Shelf<Port> = { ready: [], uses: [], filling: null, epoch: 0, timer: null }
    shelves.set(key, made)
    return made
  }
  const wanted = (shelf: Shelf<Port>) => {
    shelf.uses = shelf.uses.filter((at) => at > clock.now() - idleMs)
    return Math.min(most, shelf.uses.length)
  }
  const away = (port: Port) =>
    discard(port).catch((error: unknown) => {
      log.warn({ reason: reasonOf(error) }, 'a spare port stays until the next sweep')
    })

  const fill = async (key: string, shelf: Shelf<Port>, maker: Maker) => {
    const { epoch } = shelf
    try {
      while (!closed && shelf.epoch === epoch && shelf.ready.length < wanted(shelf)) {
        const port = await make(key, maker)
        if (closed || shelf.epoch !== epoch) await away(port)
        else shelf.ready.push(port)
      }
    } catch (error) {
      // Over quota, no addresses left, her token ended: whoever asks next is told.
      log.info({ reason: reasonOf(error) }, 'no spare port made')
    }
  }
  const expire = async (key: string, shelf: Shelf<Port>) => {
    shelf.timer = null
    if (wanted(shelf) > 0) return watch(key, shelf)
    shelves.delete(key)
    shelf.epoch += 1
    await Promise.all(shelf.ready.splice(0).map(away))
  }
  const watch = (key: string, shelf: Shelf<Port>) => {
    shelf.timer ??= setTimeout(() => void expire(key, shelf), idleMs).unref()
  }

  const drop = async (isMeant: (key: string) => boolean) => {
    const meant = [...shelves].filter(([key]) => isMeant(key))
    await Promise.all(
      meant.map(async ([key, shelf]) => {
        shelves.delete(key)
        shelf.epoch += 1
        if (shelf.timer) clearTimeout(shelf.timer)
        await Promise.all([...shelf.ready.splice(0).map(away), shelf.filling])
      }),
    )
  }

  return {
    take(key) {
      if (most === 0) return null
      const shelf = shelfOf(key)
      shelf.uses.push(clock.now())
      watch(key, shelf)
      return shelf.ready.shift() ?? null
    },
    refill(key, maker) {
      const shelf = shelves.get(key)
      if (!shelf || shelf.filling || closed) return
      const rest = new Promise((resolve) => setTimeout(resolve, restMs).unref())
      shelf.filling = rest.then(() => fill(key, shelf, maker)).finally(() => void (shelf.filling = null))
    },
    drop,
    async close() {
      closed = true
      await drop(() => true)
    },
  }
}
