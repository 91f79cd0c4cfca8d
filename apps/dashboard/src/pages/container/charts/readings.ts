/** What `GET …/stats` answers: bytes since the start, percent of one core. */
export interface Stats {
  readonly cpuPercent: number
  readonly memoryUsed: number
  readonly memoryLimit: number
  readonly blockRead: number
  readonly blockWrite: number
  readonly netReceived: number
  readonly netSent: number
  readonly pids: number
}

/** One column of the charts. Speeds are bytes a second; null where there is no earlier reading to compare with. */
export interface Reading {
  /** Epoch seconds. */
  readonly at: number
  readonly cpu: number | null
  readonly memory: number | null
  readonly received: number | null
  readonly sent: number | null
  readonly read: number | null
  readonly written: number | null
}

export interface Counted {
  readonly at: number
  readonly stats: Stats
}

/** A gap that is longer is shown as one: nobody looked. Seconds. */
const longestGap = 10

export function readingOf(now: Counted, before: Counted | null): Reading {
  const { cpuPercent: cpu, memoryUsed: memory } = now.stats
  const passed = before ? now.at - before.at : 0
  const speed = (field: 'netReceived' | 'netSent' | 'blockRead' | 'blockWrite') => {
    const more = now.stats[field] - (before?.stats[field] ?? 0)
    // Less than before: it was started anew.
    return passed <= 0 || passed > longestGap || more < 0 ? null : more / passed
  }
  const [received, sent] = [speed('netReceived'), speed('netSent')]
  return { at: now.at, cpu, memory, received, sent, read: speed('blockRead'), written: speed('blockWrite') }
}

/** `known` and the new one, without the oldest beyond `most`; with a hole where nobody looked for a while. */
export function withReading(known: readonly Reading[], next: Reading, most: number): readonly Reading[] {
  const last = known.at(-1)
  const hole = { at: next.at - 1, cpu: null, memory: null, received: null, sent: null, read: null, written: null }
  const gap = last && next.at - last.at > longestGap ? [hole] : []
  return [...known, ...gap, next].slice(-most)
}
