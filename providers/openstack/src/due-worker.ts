import type { Log } from '@gantry/control'
import { inTurn, type OtherServers } from './among-servers.ts'
import { backoffMs, type Clock, limiter, reasonOf } from '@gantry/kernel'

/** Carries out at another service what rows of the store say. */
export interface DueWorker<Id extends string> {
  /** Something may be due, once the transaction that is under way has ended. */
  wake(): void
  /** Does now what these rows say, and resolves when it is done or has failed for now. */
  settle(ids: readonly Id[]): Promise<void>
  close(): Promise<void>
}

/** How often something failed by now, since when (epoch milliseconds). */
export interface Failures {
  readonly times: number
  readonly since: number
}

export interface DueWork<Id extends string> {
  /** Calls at once: a service's own workers are few, and users wait for it too. */
  readonly width: number
  readonly log: Log
  readonly clock: Clock
  /** The service, in the log. */
  readonly service: string
  readonly servers?: OtherServers
  /** Ids of what may be done now. Asked within a transaction's turn, so it sees what was written before `wake`. */
  readonly due: () => Promise<Iterable<Id>>
  /** Does what its row says by now, which may be nothing. What throws is tried again later. */
  readonly work: (id: Id, before: Failures | null) => Promise<void>
  /** It failed once more. */
  readonly failed?: (id: Id, failures: Failures, reason: string) => Promise<void>
}

/** Until another server has done what it is at, or another look shows that it changed since. Milliseconds. */
const elsewhereMs = 1000
const pause = { baseMs: 500, maxMs: 60_000, random: () => 0.5 }

export function dueWorker<Id extends string>({
  width,
  log,
  clock,
  service,
  servers,
  due,
  work,
  failed,
}: DueWork<Id>): DueWorker<Id> {
  const limited = limiter(width)
  const underWay = new Map<Id, Promise<void>>()
  /** What was asked for again meanwhile: what is under way may have begun before its row changed. */
  const anew = new Set<Id>()
  const failures = new Map<Id, Failures & { readonly until: number }>()
  let timer: NodeJS.Timeout | null = null
  let timerAt = Number.POSITIVE_INFINITY
  let closed = false

  const atOnce = async (name: string, mine: () => Promise<void>): Promise<boolean> =>
    servers ? servers.ifFree(name, mine) : mine().then(() => true)
  const tried = async (id: Id, waits: boolean): Promise<void> => {
    if (closed) return
    const before = failures.get(id) ?? null
    const mine = () => work(id, before)
    try {
      if (waits) await inTurn({ ...(servers && { servers }) }, `${service} ${id}`, mine)
      else if (!(await atOnce(`${service} ${id}`, mine))) return lookIn(elsewhereMs)
      failures.delete(id)
    } catch (error) {
      const times = (before?.times ?? 0) + 1
      const wait = backoffMs(times, pause)
      const now = { times, since: before?.since ?? clock.now(), until: clock.now() + wait }
      failures.set(id, now)
      const reason = reasonOf(error)
      log.warn({ id, times, reason }, `work at ${service} failed`)
      lookIn(wait)
      await failed?.(id, now, reason)
    }
  }
  /** `waits`: for its turn; else nothing is begun that another server is at, as it would hold up what comes after. */
  const begin = (id: Id, waits: boolean): Promise<void> => {
    const known = underWay.get(id)
    if (known) {
      anew.add(id)
      return known
    }
    const mine = limited(() => tried(id, waits))
      .catch((error: unknown) => {
        if (!closed) log.error({ id, reason: reasonOf(error) }, `rows of ${service} could not be read`)
      })
      .finally(() => {
        underWay.delete(id)
        if (anew.delete(id)) lookIn(0)
      })
    underWay.set(id, mine)
    return mine
  }
  const look = async (): Promise<void> => {
    const now = clock.now()
    for (const id of await due()) {
      const until = failures.get(id)?.until ?? 0
      if (until > now) lookIn(until - now)
      else void begin(id, false)
    }
  }
  const lookIn = (ms: number) => {
    const at = clock.now() + ms
    if (closed || at >= timerAt) return
    if (timer) clearTimeout(timer)
    timerAt = at
    timer = setTimeout(() => {
      timer = null
      timerAt = Number.POSITIVE_INFINITY
      look().catch((error: unknown) => {
        if (closed) return
        log.error({ reason: reasonOf(error) }, `what is due at ${service} could not be read`)
        lookIn(pause.maxMs)
      })
    }, ms)
  }

  // What a dead server was at is due.
  servers?.onLost(async () => lookIn(0))
  return {
    wake: () => lookIn(0),
    async settle(ids) {
      await Promise.all(
        ids.map(async (id) => {
          await underWay.get(id)
          await begin(id, true)
        }),
      )
    },
    async close() {
      closed = true
      if (timer) clearTimeout(timer)
      await Promise.all(underWay.values())
    },
  }
}
