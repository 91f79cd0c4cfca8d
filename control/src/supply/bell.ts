/** Lets a loop sleep until it is rung; a ring while it works is not lost. */
export function bell() {
  let pending = false
  let wake: () => void = () => undefined
  return {
    ring(): void {
      pending = true
      wake()
    },
    /** Resolves at a ring, after so many milliseconds, or when the signal is aborted. */
    async rung(mostMs: number, signal: AbortSignal): Promise<void> {
      if (!pending && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>()
        const timer = setTimeout(resolve, Math.min(mostMs, 2 ** 30))
        const aborted = () => resolve()
        wake = resolve
        signal.addEventListener('abort', aborted, { once: true })
        await promise
        signal.removeEventListener('abort', aborted)
        clearTimeout(timer)
      }
      pending = false
    },
  }
}
