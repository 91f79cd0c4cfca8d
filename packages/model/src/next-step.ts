import type { Assignment } from './assignment.ts'
import type { PortId } from './ids.ts'
import type { EngineContainer, Failure } from './observed.ts'
import { tuningOf } from './tuning.ts'

/** What an agent knows about one assignment at one moment. */
export interface Seen {
  readonly image: 'unknown' | 'present' | 'absent'
  readonly engine: EngineContainer | null
}

export type Step =
  | { readonly kind: 'pull' }
  | { readonly kind: 'create' }
  | { readonly kind: 'update' }
  | { readonly kind: 'connect'; readonly portId: PortId }
  | { readonly kind: 'disconnect'; readonly portId: PortId }
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
  if (assignment.failed) return failedStep(assignment, assignment.failed, engine)
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

/** What could not be done is not tried again; but one that removes itself still does when it has run to its end. */
function failedStep(
  { spec, wish, seenGeneration }: Assignment,
  failure: Failure,
  engine: EngineContainer | null,
): Step {
  if (spec.autoRemove && engine && hasFinished(engine)) return { kind: 'remove', why: 'finished' }
  if (spec.autoRemove && !engine && seenGeneration >= wish.generation) return { kind: 'settle', gone: true }
  return { kind: 'fail', failure }
}

function hasFinished(engine: EngineContainer): boolean {
  return !isAlive(engine) && engine.startedAt !== null
}

function isAlive({ state }: EngineContainer): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}

function replaceStep(engine: EngineContainer): Step {
  if (engine.state === 'paused') return { kind: 'unpause' }
  if (engine.state === 'running') return { kind: 'stop', graceSeconds: 10 }
  return { kind: 'remove', why: 'replaced' }
}

function absentStep({ spec, wish, seenGeneration }: Assignment, seen: Seen): Step {
  // Healing one that removed itself would run it again and again.
  if (seenGeneration >= wish.generation && (spec.autoRemove || !spec.autoHeal)) {
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

function presentStep(assignment: Assignment, engine: EngineContainer): Step {
  const { spec, wish } = assignment
  const { power } = wish
  const started = engine.startedAt !== null && !(power.kind === 'running' && engine.startedAt === power.since)
  const alive = isAlive(engine)
  const mustEnd = power.kind === 'stopped' || (power.kind === 'running' && power.bounce && !started)
  // Before the limits: ones that the engine refuses must not keep a container from being stopped.
  if (alive && mustEnd) {
    return engine.state === 'paused' ? { kind: 'unpause' } : { kind: 'stop', graceSeconds: power.graceSeconds }
  }
  // Engines count billionths of a core, some only hundred-thousandths; a smaller difference is never taken away.
  const tuned = engine.tuning === undefined || spec.options === undefined || engine.tuning === tuningOf(spec)
  if (Math.abs(engine.cpu - spec.cpu) > 2e-5 || engine.memory !== spec.memory || !tuned) return { kind: 'update' }
  const rewiring = wiringStep(assignment, engine)
  if (rewiring) return rewiring
  if (power.kind === 'running' && !alive && (!started || brokenOff(assignment, engine))) return { kind: 'start' }
  if (spec.autoRemove && hasFinished(engine)) return { kind: 'remove', why: 'finished' }
  if (engine.state === 'running' && wish.paused) return { kind: 'pause' }
  if (engine.state === 'paused' && !wish.paused) return { kind: 'unpause' }
  return { kind: 'settle', gone: false }
}

/** One that the engine should have started again, after its own restart or the container's end, and could not. */
function brokenOff({ spec }: Assignment, engine: EngineContainer): boolean {
  const lasting = spec.restartPolicy.name === 'always' || spec.restartPolicy.name === 'unless-stopped'
  return lasting && engine.state === 'exited' && engine.error !== ''
}

/** Engines change the interfaces of a paused container badly or not at all; it waits until it goes on. */
function wiringStep({ nics }: Assignment, engine: EngineContainer): Step | null {
  if (engine.state === 'paused' || engine.state === 'restarting') return null
  const extra = engine.nics.find((portId) => !nics.some((nic) => nic.portId === portId))
  if (extra !== undefined) return { kind: 'disconnect', portId: extra as PortId }
  const missing = nics.find(({ portId }) => !engine.nics.includes(portId))
  return missing ? { kind: 'connect', portId: missing.portId } : null
}
