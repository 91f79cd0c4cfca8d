import { useSyncExternalStore } from 'react'
import { agoText } from './amounts.ts'

const tickMs = 10_000
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined
let now = Date.now()

/** One clock for all that shows an age, and only while something does. */
function listen(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now()
    timer = setInterval(() => {
      now = Date.now()
      for (const each of listeners) each()
    }, tickMs)
  }
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) clearInterval(timer)
  }
}

/** How long ago something was, kept true; the exact time when pointed at. */
export function Ago({ time }: { readonly time: string }) {
  const at = useSyncExternalStore(listen, () => now)
  return (
    <time dateTime={time} title={new Date(time).toLocaleString()}>
      {agoText(time, Math.max(at, Date.parse(time)))}
    </time>
  )
}
