import { type Clock, limiter } from '@gantry/kernel'
import type { Connection, RemoteVolume, VolumePlan, VolumeReport } from '@gantry/model'
import type { HostLog } from '../agent/host-log.ts'
import type { KeyLocks } from './key-locks.ts'
import { problemSentence } from './problem-sentence.ts'

/** The newest plan of each volume and snapshot, and how far it has come. */
export interface PlanBoard {
  take(plan: VolumePlan): void
  /** Resolves once the volume can be mounted; rejects with a sentence if it never will, or does not in time. */
  available(id: string, signal: AbortSignal): Promise<void>
  /** The newest plan that there is of it. To be called with the volume's lock held by whoever acts on it. */
  planOf(id: string): VolumePlan | undefined
  /** Containers have let go of volumes: what is to go, or lacks something, may be worked on now. */
  letGo(volumes: readonly string[]): void
}

export interface BoardContext {
  readonly locks: KeyLocks
  readonly log: HostLog
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly report: (report: VolumeReport) => void
  /** Resolves with what its volume still lacks and can do without, as a sentence; empty: nothing. */
  readonly ensure: (plan: VolumePlan, signal: AbortSignal) => Promise<string>
  /** As `ensure`, of one that another service keeps. False: nothing of it is to be here yet, and nothing is told. */
  readonly ensureRemote: (plan: RemotePlan, signal: AbortSignal) => Promise<boolean>
  /** False: a container still has it. */
  readonly remove: (plan: VolumePlan) => Promise<boolean>
}

/** Where the newest plan of a piece led. */
type End =
  | { readonly kind: 'told'; readonly report: VolumeReport }
  /** `ready`: a container may have it, and only then is there something to do. `waiting`: a later plan must say more. */
  | { readonly kind: 'held' | 'overtaken' | 'ready' | 'waiting' }

interface Piece {
  readonly plan: VolumePlan
  readonly end: Promise<End>
  readonly overtaken: PromiseWithResolvers<void>
}

/** How many file systems are made, copied or removed at once; the disk gains nothing from more. */
const atOnce = 4
/** A new volume takes a moment to make; only a copy of a large one takes longer. */
const patienceMs = 30_000
/** Some storages take their time to let a host at a volume. */
const remotePatienceMs = 120_000

export function planBoard(context: BoardContext): PlanBoard {
  const { locks, log, clock, signal, report, ensure, ensureRemote, remove } = context
  const pieces = new Map<string, Piece>()
  /** What is there, but not all that its plan says. */
  const lacking = new Set<string>()
  const limited = limiter(atOnce)

  const work = async (plan: VolumePlan): Promise<VolumeReport | null> => {
    const { kind, id } = plan
    const startedAt = clock.now()
    try {
      if (plan.gone && !(await remove(plan))) return null
      const reason = plan.gone ? '' : await ensure(plan, signal)
      const ms = clock.now() - startedAt
      log.info({ [kind]: id, gone: plan.gone, ms, ...(reason && { reason }) }, 'volume plan carried out')
      return { kind, id, state: plan.gone ? 'gone' : 'available', reason }
    } catch (error) {
      const reason = problemSentence(error)
      if (!signal.aborted) log.warn({ [kind]: id, gone: plan.gone, reason }, 'volume plan failed')
      return { kind, id, state: 'error', reason }
    }
  }

  /** A failure is told, and tried again by the next container that wants it. */
  const workRemote = async (plan: VolumePlan): Promise<End> => {
    if (!isConnected(plan)) return { kind: 'waiting' }
    const { kind, id } = plan
    try {
      if ((await ensureRemote(plan, signal)) && !signal.aborted) report({ kind, id, state: 'available', reason: '' })
    } catch (error) {
      const reason = problemSentence(error)
      if (signal.aborted) return { kind: 'ready' }
      log.warn({ [kind]: id, reason }, 'volume plan failed')
      report({ kind, id, state: 'error', reason })
    }
    return { kind: 'ready' }
  }

  const carryOut = (plan: VolumePlan): Promise<End> =>
    locks.run([plan.id, ...(plan.source === null ? [] : [plan.source])], async () => {
      if (pieces.get(plan.id)?.plan !== plan) return { kind: 'overtaken' }
      if (plan.remote && !plan.gone) return limited(() => workRemote(plan))
      const outcome = await limited(() => work(plan))
      if (outcome === null) return { kind: 'held' }
      if (outcome.state === 'available' && outcome.reason !== '') lacking.add(plan.id)
      else lacking.delete(plan.id)
      if (outcome.state === 'gone' && pieces.get(plan.id)?.plan === plan) pieces.delete(plan.id)
      if (!signal.aborted) report(outcome)
      return { kind: 'told', report: outcome }
    })

  const take = (plan: VolumePlan): void => {
    // The piece is on the board before its work looks there: a lock is never had in the same turn.
    const before = pieces.get(plan.id)
    pieces.set(plan.id, { plan, end: carryOut(plan), overtaken: Promise.withResolvers() })
    before?.overtaken.resolve()
  }

  return {
    take,
    available: async (id, waiting) => {
      const mostMs = pieces.get(id)?.plan.remote ? remotePatienceMs : patienceMs
      const patience = AbortSignal.any([waiting, AbortSignal.timeout(mostMs)])
      const patiently = <T>(task: Promise<T>, tooLong: string): Promise<T> =>
        orAborted(task, patience).catch((error: unknown) => {
          waiting.throwIfAborted()
          throw patience.aborted ? new Error(tooLong) : error
        })
      for (;;) {
        const piece = pieces.get(id)
        if (!piece) throw new Error('It is not on this host.')
        const { plan } = piece
        if (plan.gone) throw new Error(goingSentence(plan))
        const end = await patiently(piece.end, 'It is still being made.')
        if (end.kind === 'told' && end.report.state !== 'available') throw new Error(end.report.reason)
        const isNewest = pieces.get(id) === piece
        if (end.kind === 'waiting' && isNewest) {
          if (plan.remote?.problem !== undefined) throw new Error(plan.remote.problem)
          await patiently(piece.overtaken.promise, 'The storage has not let the host at it yet.')
        }
        if ((end.kind === 'told' || end.kind === 'ready') && isNewest) return
      }
    },
    planOf: (id) => pieces.get(id)?.plan,
    letGo: (volumes) => {
      for (const id of volumes) {
        const plan = pieces.get(id)?.plan
        if (plan && (plan.gone || lacking.has(id))) take({ ...plan })
      }
    },
  }
}

/** A plan of a volume that another service keeps, with which it can be reached. */
export type RemotePlan = VolumePlan & { readonly remote: RemoteVolume & { readonly connection: Connection } }

/** Pure. */
export function isConnected(plan: VolumePlan): plan is RemotePlan {
  return plan.remote !== undefined && plan.remote.connection !== null
}

/** Why no container may have it any more. Pure. */
export function goingSentence({ remote }: VolumePlan): string {
  return remote ? 'It is being taken from the host.' : 'It is being deleted.'
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
