import { assertNever, backoff, type Clock, type limiter, orAborted, reasonOf } from '@gantry/kernel'
import {
  type Assignment,
  type EngineContainer,
  type Failure,
  nextStep,
  type Observed,
  type Seen,
  type Step,
} from '@gantry/model'
import type { AgentMessage, Holding } from '@gantry/wire'
import { EngineError } from '../engine/engine-error.ts'
import { type Acts, type Deed, type Outcome, perform } from './acts.ts'
import type { EngineLink } from './engine-link.ts'
import { failureOf, isKnownRefusal } from './failure-sentences.ts'
import type { HostLog } from './host-log.ts'
import type { Leases } from './leases.ts'
import { foreignName, type Inspect } from './inspect-ours.ts'
import type { Remakings } from './remakings.ts'
import { blamesStrays } from './stray-processes.ts'

export interface WorkerContext {
  readonly acts: Acts
  readonly inspect: Inspect
  readonly link: () => EngineLink
  readonly leases: Pick<Leases, 'allows' | 'whenAllowed' | 'endedStart'>
  readonly remaking: Pick<Remakings, 'has' | 'end'>
  /** Widths of what may be under way at once on this host. */
  readonly starting: ReturnType<typeof limiter>
  readonly ending: ReturnType<typeof limiter>
  readonly clock: Clock
  readonly log: HostLog
  readonly report: (message: AgentMessage) => void
  /** The engine holds nothing of it and nothing is wished for; it has been reported. */
  readonly onGone: (worker: ContainerWorker) => void
  readonly signal: AbortSignal
}

/** A step that still has to be taken after this many in one go does not take effect. */
const mostSteps = 40
/** Tries of what an engine refuses for a reason that may pass. */
const mostTries = 4

/** Brings one container to its wish, one step after another, and reports what it sees. */
export class ContainerWorker {
  readonly #context: WorkerContext
  #assignment: Assignment
  /** undefined: must be looked up. */
  #engine: EngineContainer | null | undefined
  #image: Seen['image'] = 'unknown'
  #seenGeneration: number
  #failed: { readonly version: number; readonly failure: Failure } | null = null
  #settled = 0
  #last: { readonly text: string; readonly observed: Observed } | null = null
  #ownStarts = 0
  /** Refusals in a row that may pass. */
  #mishaps = 0
  /** Settles when nobody needs the container left alone. */
  #held: Promise<unknown> = Promise.resolve()
  /** Something changed since the running round looked. */
  #woken = false
  #busy = false
  /** Cuts short what only a newer wish makes pointless. */
  #interrupt = new AbortController()
  readonly #retired = new AbortController()
  readonly #lifetime: AbortSignal

  constructor(assignment: Assignment, known: 'absent' | 'unknown', context: WorkerContext) {
    this.#assignment = assignment
    this.#seenGeneration = assignment.seenGeneration
    this.#engine = known === 'absent' ? null : undefined
    this.#context = context
    this.#lifetime = AbortSignal.any([context.signal, this.#retired.signal])
  }

  get assignment(): Assignment {
    return this.#assignment
  }

  /** What was last seen of it; null: nothing there, or not looked yet. */
  get engine(): EngineContainer | null {
    return this.#engine ?? null
  }

  /** What it was told and has said last; null while there is more to do or to say than that. */
  get holding(): Holding | null {
    const { wish, spec, seenGeneration, lease } = this.#assignment
    const observed = this.#busy || this.#woken || this.#ended ? null : this.#last?.observed
    if (observed?.settled !== wish.version || wish.gone || lease !== undefined) return null
    // One that removes itself waits for the server's word that its run was written down.
    return spec.autoRemove && seenGeneration < this.#seenGeneration ? null : { told: this.#assignment, observed }
  }

  /** Takes the newest assignment; an older one (a late message) is ignored. Always ends in a report. */
  assign(assignment: Assignment): void {
    this.#last = null
    if (assignment.wish.version >= this.#assignment.wish.version) {
      if (assignment.wish.version > this.#assignment.wish.version) this.#interrupt.abort(new Error('newer wish'))
      if (assignment.imageRef !== this.#assignment.imageRef) this.#image = 'unknown'
      this.#assignment = assignment
      this.#seenGeneration = Math.max(this.#seenGeneration, assignment.seenGeneration)
    }
    this.wake()
  }

  /** The engine said that something happened to it. */
  changed(action: string): void {
    if (action === 'start' && this.#ownStarts > 0) {
      // Our own start: it is looked up after the call anyway.
      this.#ownStarts -= 1
      return
    }
    if (action === 'die') this.#ownStarts = 0
    this.lookAgain()
  }

  /** Whatever was known may be wrong. */
  lookAgain(): void {
    this.#engine = undefined
    this.wake()
  }

  /** Runs `task`, which changes the container for a while by itself (a commit pauses it), without meddling. */
  async hold<T>(task: () => Promise<T>): Promise<T> {
    const mine = task()
    this.#held = Promise.allSettled([this.#held, mine])
    try {
      return await mine
    } finally {
      this.lookAgain()
    }
  }

  wake(): void {
    this.#woken = true
    if (this.#busy) return
    this.#busy = true
    void this.#run().finally(() => {
      this.#busy = false
      // Woken between the last look and this moment.
      if (this.#woken && !this.#ended) this.wake()
    })
  }

  /** Stops working on it; the container itself is left as it is. */
  retire(): void {
    this.#retired.abort(new Error('retired'))
  }

  get #ended(): boolean {
    return this.#lifetime.aborted
  }

  async #run(): Promise<void> {
    let attempt = 0
    while (this.#woken && !this.#ended) {
      this.#woken = false
      this.#interrupt = new AbortController()
      const signal = AbortSignal.any([this.#lifetime, this.#interrupt.signal])
      try {
        // One that is to go goes, whatever is being done with it.
        if (!this.#assignment.wish.gone) await orAborted(this.#held, signal)
        await this.#context.link().whenUp(signal)
        await this.#reach(signal)
        attempt = 0
      } catch (error) {
        if (this.#ended) return
        this.#engine = undefined
        this.#woken = true
        if (this.#interrupt.signal.aborted) continue
        this.#context.log.warn(
          { container: this.#assignment.id, reason: reasonOf(error) },
          'container work interrupted',
        )
        await backoff(attempt, { baseMs: 200, maxMs: 15_000 }, this.#lifetime).catch(() => undefined)
        attempt += 1
      }
    }
  }

  /** Steps until the wish is met or given up. Rejects when the engine does not answer. */
  async #reach(signal: AbortSignal): Promise<void> {
    let steps = 0
    while (!signal.aborted) {
      const assignment = this.#assignment
      const seen = await this.#see(signal)
      if (assignment !== this.#assignment) continue
      const step = steps >= mostSteps ? tooMany : nextStep(this.#effective(assignment), seen)
      steps += 1
      switch (step.kind) {
        case 'settle':
        case 'fail':
          return this.#settle(assignment, step)
        case 'create':
        case 'start':
          await this.#context.leases.whenAllowed(assignment, signal)
          await this.#context.starting(() => this.#bringUp(step, assignment, signal))
          break
        case 'stop':
        case 'remove':
          if (step.kind === 'remove' && step.why === 'finished') {
            this.#reportObserved(assignment, null)
            // Its only trace must not go before the server has written down that it ran, or a crash of both ends would
            // have it made and run once more. The server's word is a newer assignment.
            if (assignment.seenGeneration < this.#seenGeneration) return
          }
          await this.#context.ending(() => this.#whenStillWished(step, assignment, signal))
          break
        case 'pull':
        case 'update':
        case 'connect':
        case 'disconnect':
        case 'pause':
        case 'unpause':
          await this.#take(step, assignment, signal)
          break
        default:
          return assertNever(step, 'step')
      }
    }
    throw signal.reason
  }

  async #see(signal: AbortSignal): Promise<Seen> {
    while (this.#engine === undefined) {
      const { id, wish } = this.#assignment
      this.#engine = null
      const found = await this.#context.inspect(id, signal)
      // An event that came while we looked has set it to undefined again.
      if (this.#engine === null) this.#engine = found === foreignName ? null : found
      if (found === foreignName && !wish.gone) {
        this.#failed = { version: wish.version, failure: { step: 'create', reason: foreignReason } }
      }
    }
    if (this.#engine) this.#seenGeneration = Math.max(this.#seenGeneration, this.#engine.generation)
    if (this.#engine?.startedAt) this.#context.remaking.end(this.#assignment.id)
    return { image: this.#image, engine: this.#engine }
  }

  #effective(assignment: Assignment): Assignment {
    const failed = this.#failed?.version === assignment.wish.version ? this.#failed.failure : assignment.failed
    // One that we took away ourselves is not missing.
    const seenGeneration = this.#context.remaking.has(assignment.id) ? 0 : this.#seenGeneration
    return { ...assignment, wish: this.#wishOf(assignment), seenGeneration, failed }
  }

  /** What was stopped because no server was there is to run again as if that start had never been. */
  #wishOf({ id, wish }: Assignment): Assignment['wish'] {
    const ended = this.#context.leases.endedStart(id)
    const { power } = wish
    if (ended === null || power.kind !== 'running' || this.#engine?.startedAt !== ended) return wish
    return { ...wish, power: { ...power, since: ended } }
  }

  /** Create and start under one permit: a container half brought up must not wait behind others not yet begun. */
  async #bringUp(step: Deed, assignment: Assignment, signal: AbortSignal): Promise<void> {
    const { leases } = this.#context
    // The wait for a permit may have been long.
    if (!leases.allows(assignment)) return
    await this.#whenStillWished(step, assignment, signal)
    if (step.kind !== 'create' || !this.#engine || assignment !== this.#assignment || !leases.allows(assignment)) return
    const next = nextStep(this.#effective(assignment), { image: this.#image, engine: this.#engine })
    if (next.kind === 'start') await this.#take(next, assignment, signal)
    else this.#engine = undefined
  }

  /** The wait for a permit may have been long. */
  async #whenStillWished(step: Deed, assignment: Assignment, signal: AbortSignal): Promise<void> {
    if (assignment === this.#assignment && !signal.aborted) await this.#take(step, assignment, signal)
  }

  /** Takes one step and reports it. What the engine refuses for good becomes the failure of this wish. */
  async #take(step: Deed, assignment: Assignment, signal: AbortSignal): Promise<void> {
    const { clock, log, acts, report } = this.#context
    const { id, wish } = assignment
    const startedAt = clock.now()
    const done = (error: string | null) => {
      const finishedAt = clock.now()
      log.info({ container: id, version: wish.version, step: step.kind, ms: finishedAt - startedAt, error }, 'step')
      report({ kind: 'step', id, version: wish.version, step: step.kind, startedAt, finishedAt, error })
    }
    if (step.kind === 'start') this.#ownStarts += 1
    // Only what may last long gives way to a newer wish; cutting the rest short would leave the engine half way.
    const steady = step.kind === 'pull' || step.kind === 'stop' ? signal : this.#lifetime
    try {
      const outcome = await perform(acts, step, assignment, steady, this.engine)
      if (outcome.know === 'image' && outcome.image === 'absent' && this.#image === 'present') {
        throw new EngineError(404, 'it was pulled, but the engine does not have it for this host')
      }
      this.#learn(outcome)
      // That the image is missing is a discovery, not a mishap: the pull comes next.
      if (outcome.know !== 'image' || outcome.image === 'present') done(null)
      this.#mishaps = 0
    } catch (error) {
      if (step.kind === 'start') this.#ownStarts = 0
      this.#engine = undefined
      if (!(error instanceof EngineError)) throw error
      // It vanished under our hands: look again and decide anew.
      if (error.status === 404 && /no such container/i.test(error.message)) return
      const failure = shortened(failureOf(step.kind, error.message, assignment))
      done(failure.reason)
      this.#mishaps += 1
      if (this.#mishaps < mostTries && mayPass(step, error)) {
        await backoff(this.#mishaps, { baseMs: 250, maxMs: 4000 }, signal)
        return
      }
      this.#mishaps = 0
      this.#failed = { version: wish.version, failure }
    }
  }

  #learn(outcome: Outcome): void {
    switch (outcome.know) {
      case 'look':
        this.#engine = undefined
        return
      case 'absent':
        this.#engine = null
        return
      case 'created':
        this.#engine = outcome.container
        this.#seenGeneration = Math.max(this.#seenGeneration, outcome.container.generation)
        return
      case 'image':
        this.#image = outcome.image
        return
      default:
        assertNever(outcome, 'outcome')
    }
  }

  #settle(assignment: Assignment, step: Extract<Step, { kind: 'settle' | 'fail' }>): void {
    this.#settled = assignment.wish.version
    this.#image = 'unknown'
    if (step.kind === 'settle' && step.gone) {
      this.#context.remaking.end(assignment.id)
      this.#send({ engine: null, settled: this.#settled, failure: null }, true)
      this.#context.onGone(this)
      return
    }
    this.#reportObserved(assignment, step.kind === 'fail' ? step.failure : null)
  }

  #reportObserved(assignment: Assignment, failure: Failure | null): void {
    this.#send({ engine: this.#engine ?? null, settled: assignment.wish.version, failure }, false)
  }

  #send(observed: Observed, gone: boolean): void {
    const message: AgentMessage = { kind: 'observed', id: this.#assignment.id, observed, gone }
    const text = JSON.stringify(message)
    if (text === this.#last?.text) return
    this.#last = { text, observed }
    this.#context.report(message)
  }
}

/** Engines repeat whole command lines in what they say, and a report must stay short. */
function shortened({ step, reason }: Failure): Failure {
  return { step, reason: reason.length <= 2000 ? reason : `${reason.slice(0, 2000)}…` }
}

/** A stop or a removal may succeed a moment later, and so may anything that an engine in trouble could not do. */
function mayPass(step: Deed, error: EngineError): boolean {
  if (step.kind === 'stop' || step.kind === 'remove' || blamesStrays(error.message)) return true
  return step.kind !== 'pull' && error.status >= 500 && !isKnownRefusal(error.message)
}

const foreignReason = 'The engine already has a container of that name which is not ours.'
const tooMany: Step = {
  kind: 'fail',
  failure: { step: 'observe', reason: 'The engine does not do what it says it did; its log may tell why.' },
}
