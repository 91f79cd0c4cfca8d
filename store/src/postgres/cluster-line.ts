import { once } from 'node:events'
import type { Log } from '@gantry/control'
import { backoff, limiter, reasonOf } from '@gantry/kernel'
import pg from 'pg'

/** Asks PostgreSQL. Rejects, and ends the connection, if it does not answer in time. */
export type Ask = (text: string, values?: readonly unknown[]) => Promise<pg.QueryResult>

export interface LineOptions {
  readonly url: string
  /** How PostgreSQL lists the connection. */
  readonly name: string
  readonly channel: string
  readonly log: Log
  /** A connection is there; the signal is aborted when it is gone. `isFirst`: what was told before is not for us. */
  readonly up: (ask: Ask, signal: AbortSignal, isFirst: boolean) => void
  readonly heard: (payload: string) => void
}

export interface Line {
  /** Rejects if the first connection cannot be made. */
  readonly begun: Promise<void>
  close(): Promise<void>
}

const answerMs = 10_000
const pause = { baseMs: 100, maxMs: 3_000 }

/**
 * The one connection of a server on which it listens and holds its locks, made again whenever it breaks. PostgreSQL notices within
 * seconds that a machine behind it is gone, and so lets go of its locks.
 */
export function clusterLine({ url, name, channel, log, up, heard }: LineOptions): Line {
  const ending = new AbortController()
  const first = Promise.withResolvers<void>()
  let isFirst = true

  const connected = async (): Promise<void> => {
    const client = new pg.Client({
      connectionString: url,
      application_name: name,
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
    })
    const gone = new AbortController()
    const cut = (error?: unknown) => {
      if (gone.signal.aborted) return
      gone.abort(error ?? new Error('the connection to the database ended'))
      void client.end().catch(() => undefined)
      setTimeout(() => (client as unknown as Breakable).connection.stream.destroy(), 200).unref()
    }
    client.on('error', cut)
    client.on('end', cut)
    client.on('notification', ({ payload }) => heard(payload ?? ''))
    const inTurn = limiter(1)
    const ask: Ask = (text, values) => inTurn(() => inTime(client.query(text, values && [...values]), cut))
    try {
      await client.connect()
      await ask(
        'set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 3; set tcp_keepalives_count = 3; set tcp_user_timeout = 15000',
      )
      await ask(`listen ${channel}`)
    } catch (error) {
      cut(error)
      throw error
    }
    up(ask, gone.signal, isFirst)
    isFirst = false
    first.resolve()
    const stop = () => cut(ending.signal.reason)
    ending.signal.addEventListener('abort', stop, { once: true })
    if (ending.signal.aborted) stop()
    if (!gone.signal.aborted) await once(gone.signal, 'abort')
    ending.signal.removeEventListener('abort', stop)
  }
  const run = async (): Promise<void> => {
    for (let attempt = 0; !ending.signal.aborted; attempt += 1) {
      try {
        await connected()
        attempt = 0
        if (!ending.signal.aborted) log.warn({}, 'connection to the other servers lost')
      } catch (error) {
        if (isFirst) return first.reject(error)
        log.warn({ reason: reasonOf(error) }, 'no connection to the other servers; trying again')
      }
      await backoff(attempt, pause, ending.signal).catch(() => undefined)
    }
  }
  const running = run()
  first.promise.catch(() => undefined)
  return {
    begun: first.promise,
    async close() {
      ending.abort(new Error('the server is closing'))
      await running
    },
  }
}

/** What a client has below its surface, for a peer that says nothing any more. */
interface Breakable {
  readonly connection: { readonly stream: { destroy(): void } }
}

async function inTime<T>(answer: Promise<T>, late: (error: Error) => void): Promise<T> {
  const tooLate = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new Error('the database did not answer in time')
    tooLate.reject(error)
    late(error)
  }, answerMs)
  try {
    return await Promise.race([answer, tooLate.promise])
  } finally {
    clearTimeout(timer)
  }
}
