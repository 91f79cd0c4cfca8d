import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@gantry/control'
import { backoff, reasonOf } from '@gantry/kernel'
import type { Ask } from './cluster-line.ts'

/** First half of the keys of our locks, so that they are nobody else's. */
export const lockClass = 0x47_61_6e_74

export interface Leads {
  inTurn<T>(name: string, work: () => Promise<T>): Promise<T>
  ifFree(name: string, work: () => Promise<void>): Promise<boolean>
  lead(name: string, work: (signal: AbortSignal) => Promise<void>): void
  use(ask: Ask, gone: AbortSignal): void
  close(): Promise<void>
}

/** Between two tries to get a turn, and between two turns. Milliseconds. */
const usualPauseMs = 1_000
const turnPauses = { baseMs: 20, maxMs: 500 }

/** Turns that one server has at a time, each a lock that PostgreSQL lets go of with the connection. */
export function leads(log: Log, pauseMs = usualPauseMs): Leads {
  const ending = new AbortController()
  const running = new Set<Promise<void>>()
  let line: { readonly ask: Ask; readonly gone: AbortSignal } | null = null

  /** Answers how to give it back; null: another server has it, or nobody can say. */
  const taken = async (name: string): Promise<(() => Promise<void>) | null> => {
    if (line === null || line.gone.aborted) return null
    const { ask, gone } = line
    const key = [lockClass, name]
    const answer = await ask('select pg_try_advisory_lock($1, hashtext($2)) as mine', key).catch(() => null)
    if (answer?.rows[0]?.mine !== true) return null
    return async () => {
      // With the connection the lock is gone as well.
      if (!gone.aborted) await ask('select pg_advisory_unlock($1, hashtext($2))', key).catch(() => undefined)
    }
  }
  const oneTurn = async (name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const gone = line?.gone
    const giveBack = await taken(name)
    if (!giveBack || !gone) return
    log.info({ work: name }, 'this server leads')
    await thenBack(giveBack, () => work(AbortSignal.any([gone, ending.signal])))
  }
  const again = async (name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const { signal } = ending
    while (!signal.aborted) {
      await oneTurn(name, work).catch((error: unknown) => {
        if (!signal.aborted) log.error({ work: name, reason: reasonOf(error) }, 'failed; another server may try')
      })
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
  return {
    async inTurn(name, work) {
      for (let attempt = 0; ; attempt += 1) {
        ending.signal.throwIfAborted()
        const giveBack = await taken(`turn ${name}`)
        if (giveBack) return thenBack(giveBack, work)
        await backoff(attempt, turnPauses, ending.signal)
      }
    },
    async ifFree(name, work) {
      ending.signal.throwIfAborted()
      const giveBack = await taken(`turn ${name}`)
      if (giveBack) await thenBack(giveBack, work)
      return giveBack !== null
    },
    lead(name, work) {
      const whole = again(name, work).finally(() => running.delete(whole))
      running.add(whole)
    },
    use(ask, gone) {
      line = { ask, gone }
    },
    async close() {
      ending.abort(new Error('the server is closing'))
      await Promise.all(running)
    },
  }
}

async function thenBack<T>(giveBack: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    await giveBack()
  }
}
