import { type Clock, limiter } from '@gantry/kernel'
import type { VolumePlan, VolumeReport } from '@gantry/model'
import type { HostLog } from '../agent/host-log.ts'
import type { KeyLocks } from './key-locks.ts'
import { problemSentence } from './problem-sentence.ts'

/** The newest plan of each volume and snapshot, and how far it has come. */
export interface PlanBoard {
  take(plan: VolumePlan): void
  /** Resolves once the volume can be mounted; rejects with a sentence if it never will, or does not in time. */
  available(id: string, signal: AbortSignal): Promise<void>
  /** To be called with the volume's lock held: whether its data is to go. */
  isGoing(id: string): boolean
  /** Containers have let go of volumes: those that are to go may do so now. */
  letGo(volumes: readonly string[]): void
}

export interface BoardContext {
  readonly locks: KeyLocks
  readonly log: HostLog
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly report: (report: VolumeReport) => void
  readonly ensure: (plan: VolumePlan, signal: AbortSignal) => Promise<void>
  /** False: a container still has it. */
  readonly remove: (plan: VolumePlan) => Promise<boolean>
}

/** Where the newest plan of a piece led. */
type End = { readonly kind: 'told'; readonly report: VolumeReport } | { readonly kind: 'held' | 'overtaken' }

interface Piece {
  readonly plan: VolumePlan
  readonly end: Promise<End>
}

/** How many file systems are made, copied or removed at once; the disk gains nothing from more. */
const atOnce = 4
/** A new volume takes a moment to make; only a copy of a large one takes longer. */
const patienceMs = 30_000

export function planBoard({ locks, log, clock, signal, report, ensure, remove }: BoardContext): PlanBoard {
  const pieces = new Map<string, Piece>()
  const limited = limiter(atOnce)

  const work = async (plan: VolumePlan): Promise<VolumeReport | null> => {
    const { kind, id } = plan
    const startedAt = clock.now()
    try {
      if (plan.gone && !(await remove(plan))) return null
      if (!plan.gone) await ensure(plan, signal)
      log.info({ [kind]: id, gone: plan.gone, ms: clock.now() - startedAt }, 'volume plan carried out')
      return { kind, id, state: plan.gone ? 'gone' : 'available', reason: '' }
    } catch (error) {
      const reason = problemSentence(error)
      if (!signal.aborted) log.warn({ [kind]: id, gone: plan.gone, reason }, 'volume plan failed')
      return { kind, id, state: 'error', reason }
    }
  }

  const carryOut = (plan: VolumePlan): Promise<End> =>
    locks.run([plan.id, ...(plan.source === null ? [] : [plan.source])], async () => {
      if (pieces.get(plan.id)?.plan !== plan) return { kind: 'overtaken' }
      const outcome = await limited(() => work(plan))
      if (outcome === null) return { kind: 'held' }
      if (outcome.state === 'gone' && pieces.get(plan.id)?.plan === plan) pieces.delete(plan.id)
      if (!signal.aborted) report(outcome)
      return { kind: 'told', report: outcome }
    })

  const take = (plan: VolumePlan): void => {
    // The piece is on the board before its work looks there: a lock is never had in the same turn.
    pieces.set(plan.id, { plan, end: carryOut(plan) })
  }

  return {
    take,
    available: async (id, waiting) => {
      const patience = AbortSignal.any([waiting, AbortSignal.timeout(patienceMs)])
      for (;;) {
        const piece = pieces.get(id)
        if (!piece) throw new Error('It is not on this host.')
        if (piece.plan.gone) throw new Error('It is being deleted.')
        const end = await orAborted(piece.end, patience).catch((error: unknown) => {
          waiting.throwIfAborted()
          throw patience.aborted ? new Error('It is still being made.') : error
        })
        if (end.kind === 'told' && end.report.state !== 'available') throw new Error(end.report.reason)
        if (end.kind === 'told' && pieces.get(id) === piece) return
      }
    },
    isGoing: (id) => pieces.get(id)?.plan.gone ?? true,
    letGo: (volumes) => {
      for (const id of volumes) {
        const plan = pieces.get(id)?.plan
        if (plan?.gone) take({ ...plan })
      }
    },
  }
}

async function orAborted<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const leave = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([task, aborted.promise])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
