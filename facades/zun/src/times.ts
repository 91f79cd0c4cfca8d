import type { Container } from '@gantry/model'

/** `YYYY-MM-DD HH:MM:SS.ffffff`, UTC, from epoch milliseconds. */
export function spacedTime(at: number): string {
  return isoTime(at).replace('T', ' ')
}

/** `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC, from epoch milliseconds. */
export function isoTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000')
}

/** What a person reads beside the status: `Up 3 mins (healthy)`, `Exited(0) 8 mins ago`, `Created`. At most 50 characters. */
export function statusDetail(container: Container, now: number): string {
  const engine = container.observed.engine
  if (container.status === 'Restarting') return 'Restarting'
  if (!engine || container.status === 'Creating' || container.status === 'Deleting') return ''
  switch (engine.state) {
    case 'created':
      return 'Created'
    case 'running':
      return `Up ${since(engine.startedAt, now)}${engine.health ? ` (${engine.health})` : ''}`
    case 'paused':
      return `Up ${since(engine.startedAt, now)} (paused)`
    case 'restarting':
      return 'Restarting'
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
    case 'exited':
      return `Exited(${engine.exitCode ?? '?'}) ${since(engine.finishedAt, now)} ago`
    default:
      return ''
  }
}

const units = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['week', 7 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['min', 60],
  ['second', 1],
] as const

function since(engineTime: string | null, now: number): string {
  const started = engineTime === null ? Number.NaN : Date.parse(engineTime)
  const seconds = Number.isNaN(started) ? 0 : Math.max(0, Math.floor((now - started) / 1000))
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? ['second', 1]
  const count = Math.floor(seconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
