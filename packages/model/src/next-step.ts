import type { Assignment } from './assignment.ts'
import type { EngineContainer, Failure } from './observed.ts'

/** What an agent knows about one assignment at one moment. */
export interface Seen {
  readonly image: 'unknown' | 'present' | 'absent'
  readonly engine: EngineContainer | null
}

export type Step =
  | { readonly kind: 'pull' }
  | { readonly kind: 'create' }
  | { readonly kind: 'update' }
  | { readonly kind: 'start' }
  | { readonly kind: 'stop'; readonly graceSeconds: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'unpause' }
  | { readonly kind: 'remove'; readonly why: 'gone' | 'replaced' | 'finished' }
  /** Nothing more can be done; the reason goes to the user. */
  | { readonly kind: 'fail'; readonly failure: Failure }
  /** The wish is met. `gone`: the engine holds nothing of it and nothing is wished for. */
  | { readonly kind: 'settle'; readonly gone: boolean }

export type StepKind = Step['kind']

/**
 * The next thing to do for one container. Pure and total; called again after every step and every engine event, and
 * reaches `settle` or `fail` in finitely many calls when steps succeed. Repeating a step that already happened is harmless.
 */
export function nextStep(assignment: Assignment, seen: Seen): Step {
  const { wish } = assignment
  const engine = seen.engine
  if (wish.gone) return goneStep(wish.gone.graceSeconds, engine)
  if (assignment.failed) return { kind: 'fail', failure: assignment.failed }
  if (engine && engine.generation < wish.generation) return replaceStep(engine)
  if (engine) return presentStep(assignment, engine)
  return absentStep(assignment, seen)
}

function goneStep(graceSeconds: number, engine: EngineContainer | null): Step {
  if (!engine) return { kind: 'settle', gone: true }
  if (engine.state === 'paused') return { kind: 'unpause' }
  if (engine.state === 'running' && graceSeconds > 0) return { kind: 'stop', graceSeconds }
  return { kind: 'remove', why: 'gone' }
}

function replaceStep(engine: EngineContainer): Step {
  if (engine.state === 'paused') return { kind: 'unpause' }
  if (engine.state === 'running') return { kind: 'stop', graceSeconds: 10 }
  return { kind: 'remove', why: 'replaced' }
}

function absentStep({ spec, wish, seenGeneration }: Assignment, seen: Seen): Step {
  if (seenGeneration >= wish.generation && !spec.autoHeal) {
    if (spec.autoRemove) return { kind: 'settle', gone: true }
    const reason = 'The container is missing from the engine of its host; rebuild it to make it anew, or delete it.'
    return { kind: 'fail', failure: { step: 'observe', reason } }
  }
  if (spec.pullPolicy === 'always' && seen.image !== 'present') return { kind: 'pull' }
  if (seen.image === 'absent') {
    if (spec.pullPolicy !== 'never') return { kind: 'pull' }
    const reason = `Image ${spec.image} is not on the host and the pull policy is never.`
    return { kind: 'fail', failure: { step: 'pull', reason } }
  }
  return { kind: 'create' }
}

function presentStep({ spec, wish }: Assignment, engine: EngineContainer): Step {
  const { power } = wish
  const started = engine.startedAt !== null && !(power.kind === 'running' && engine.startedAt === power.since)
  const alive = engine.state === 'running' || engine.state === 'paused' || engine.state === 'restarting'
  // Engines count billionths of a core, some only hundred-thousandths; a smaller difference is never taken away.
  if (Math.abs(engine.cpu - spec.cpu) > 2e-5 || engine.memory !== spec.memory) return { kind: 'update' }
  switch (power.kind) {
    case 'created':
      break
    case 'stopped':
      if (engine.state === 'paused') return { kind: 'unpause' }
      if (alive) return { kind: 'stop', graceSeconds: power.graceSeconds }
      break
    case 'running':
      if (alive && !started && power.bounce) {
        return engine.state === 'paused' ? { kind: 'unpause' } : { kind: 'stop', graceSeconds: power.graceSeconds }
      }
      if (!alive && !started) return { kind: 'start' }
      break
  }
  if (spec.autoRemove && !alive && engine.startedAt !== null) return { kind: 'remove', why: 'finished' }
  if (engine.state === 'running' && wish.paused) return { kind: 'pause' }
  if (engine.state === 'paused' && !wish.paused) return { kind: 'unpause' }
  return { kind: 'settle', gone: false }
}
