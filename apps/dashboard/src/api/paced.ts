export interface Paced {
  readonly ask: () => void
  readonly stop: () => void
}

/**
 * Does `work` as soon as it is asked for, but begins it anew only when it is over and `everyMs` have passed: however often it is asked
 * for, it comes to its end, and it is done once more after the last time. Until `stop`.
 */
export function paced(work: () => Promise<unknown>, everyMs: number): Paced {
  let isAsked = false
  let isBusy = false
  let isStopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const run = async (): Promise<void> => {
    isBusy = true
    isAsked = false
    const pause = new Promise((resolve) => {
      timer = setTimeout(resolve, everyMs)
    })
    await Promise.allSettled([work(), pause])
    isBusy = false
    next()
  }
  const next = (): void => {
    if (isAsked && !isBusy && !isStopped) void run()
  }
  return {
    ask() {
      isAsked = true
      next()
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
