import type { Container, EngineContainer } from '@gantry/model'

export interface Told {
  readonly action: string
  readonly attributes?: Readonly<Record<string, string>>
}

/** What must have been done to a container between two looks at it, in the order an engine would have told it. Pure. */
export function activitiesOf(before: Container | null, after: Container, gone: boolean): Told[] {
  const was = before?.observed.engine ?? null
  const is = after.observed.engine
  const told: Told[] = []
  if (is && !was) told.push({ action: 'create' })
  if (is) told.push(...changesOf(was, is, after))
  if (gone) told.push({ action: 'destroy' })
  return told
}

function changesOf(was: EngineContainer | null, is: EngineContainer, { wish }: Container): Told[] {
  const told: Told[] = []
  const startedAnew = is.startedAt !== null && is.startedAt !== (was?.startedAt ?? null)
  const wasAlive = was !== null && isAlive(was)
  // It ended and was started again between the looks; with what code, nobody has seen.
  if (startedAnew && wasAlive) told.push({ action: 'die' })
  if (startedAnew) told.push({ action: 'start' })
  if (is.health !== null && is.health !== 'starting' && is.health !== was?.health) {
    told.push({ action: `health_status: ${is.health}` })
  }
  if (is.state === 'paused' && was?.state !== 'paused') told.push({ action: 'pause' })
  if (was?.state === 'paused' && is.state === 'running') told.push({ action: 'unpause' })
  if (!isAlive(is) && (startedAnew || wasAlive)) {
    if (is.oomKilled) told.push({ action: 'oom' })
    if (wish.power.kind === 'stopped') told.push({ action: 'kill', attributes: { signal: '15' } })
    told.push({ action: 'die', attributes: { exitCode: String(is.exitCode ?? 0) } })
    if (wish.power.kind === 'stopped') told.push({ action: 'stop' })
  }
  return told
}

function isAlive({ state }: EngineContainer): boolean {
  return state === 'running' || state === 'paused'
}
