import { reasonOf } from '@gantry/kernel'
import type { Catalogue } from '../../catalogue.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'

/** Hosts connect and clients go on with their uploads first. Milliseconds. */
const firstAfterMs = 5 * 60_000
const everyMs = 60 * 60_000

export interface SweepRounds extends AsyncDisposable {
  /** Once; until it is disposed of. */
  start(): void
}

/** Sweeps a while after the start, and each hour. */
export function sweepRounds({ log }: Pick<CatalogueDeps, 'log'>, catalogue: Pick<Catalogue, 'sweep'>): SweepRounds {
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  async function round(): Promise<void> {
    try {
      await catalogue.sweep(ending.signal)
    } catch (error) {
      if (!ending.signal.aborted)
        log.error({ reason: reasonOf(error) }, 'sweep of the images failed; trying again later')
    }
    after(everyMs)
  }

  function after(ms: number): void {
    if (ending.signal.aborted) return
    timer = setTimeout(() => {
      running = round()
    }, ms)
    timer.unref()
  }

  return {
    start: () => after(firstAfterMs),
    async [Symbol.asyncDispose]() {
      ending.abort()
      clearTimeout(timer)
      await running
    },
  }
}
