export interface SilenceGuard extends Disposable {
  /** Aborts when the outer signal does, or after too long a silence. */
  readonly signal: AbortSignal
  /** True when the silence was what ended it. */
  readonly expired: boolean
  /** Something was heard; the next silence may last `nextMs`. */
  heard(nextMs: number): void
}

/** Watches over a stream whose sender may fall silent for ever. Dispose of it at the end. */
export function silenceGuard(firstMs: number, outer?: AbortSignal): SilenceGuard {
  const controller = new AbortController()
  let expired = false
  const expire = () => {
    expired = true
    controller.abort(new Error('silent for too long'))
  }
  let timer = setTimeout(expire, firstMs)
  return {
    signal: outer ? AbortSignal.any([outer, controller.signal]) : controller.signal,
    get expired() {
      return expired
    },
    heard: (nextMs) => {
      clearTimeout(timer)
      timer = setTimeout(expire, nextMs)
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
