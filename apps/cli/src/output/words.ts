const units: readonly (readonly [string, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** `3 minutes`; less than a second is `a moment`. Milliseconds in. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  for (const [name, size] of units) {
    const count = Math.floor(seconds / size)
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`
  }
  return 'a moment'
}

/** `3 minutes ago`; `-` for a time that never was. */
export function ago(time: string | null, now: number): string {
  const at = time === null ? Number.NaN : Date.parse(time)
  return Number.isNaN(at) ? '-' : `${duration(now - at)} ago`
}

/** `3.4 MiB`; `-` for unknown. */
export function bytes(count: number | null): string {
  if (count === null) return '-'
  let value = count
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024) return `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`
    value /= 1024
  }
  return `${value.toFixed(1)} TiB`
}

interface Told {
  readonly status: string
  readonly exitCode: number | null
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly health: string | null
}

/** `Running for 3 minutes (healthy)`, `Stopped (143) 2 hours ago`, `Error`. */
export function statusText({ status, exitCode, startedAt, finishedAt, health }: Told, now: number): string {
  if (status === 'Running' && startedAt !== null) {
    return `Running for ${duration(now - Date.parse(startedAt))}${health === null ? '' : ` (${health})`}`
  }
  if (status === 'Stopped' && exitCode !== null) {
    return `Stopped (${exitCode})${finishedAt === null ? '' : ` ${ago(finishedAt, now)}`}`
  }
  return status
}
