import type { Log } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'

const everyMs = 10 * 60_000
/** What a dead server had asked for may come into being after its successor's first look. Milliseconds. */
const secondMs = 60_000
const afterFailureMs = 30_000

/** `where`: in the log. Sweeps at once, soon after, and from then on now and then; sooner again where it failed. */
export function sweeping(
  log: Log,
  where: string,
  sweep: () => Promise<void>,
): { start(): void; stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined
  let current = Promise.resolve()
  let stopped = false
  let done = 0
  const again = (ms: number) => {
    if (!stopped) timer = setTimeout(run, ms).unref()
  }
  const run = () => {
    current = sweep().then(
      () => again((done += 1) === 1 ? secondMs : everyMs),
      (error: unknown) => {
        if (!stopped) log.warn({ where, reason: reasonOf(error) }, 'what is left was not swept; tried again soon')
        again(afterFailureMs)
      },
    )
  }
  return {
    start: run,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await current
    },
  }
}
