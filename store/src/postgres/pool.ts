import { createHash } from 'node:crypto'
import { Fault } from '@gantry/kernel'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'

export interface PoolOptions {
  readonly url: string
  /** Connections, at most. */
  readonly most?: number
  /** How long a statement waits for a connection, milliseconds. */
  readonly patienceMs?: number
  /** A connection that nobody used broke. */
  readonly broken?: (error: Error) => void
}

/** Numbers as numbers: whole ones of 64 bits (ours stay below 2^53), and their sums. */
const asNumbers: ReadonlySet<number> = new Set([pg.types.builtins.INT8, pg.types.builtins.NUMERIC])
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (asNumbers.has(oid) ? Number : pg.types.getTypeParser(oid, format)),
}

/** Of one server, unless told otherwise. */
export const mostConnections = 10

/** pg's pool in the shape that Kysely asks for. Statements are prepared once a connection; failures become faults. */
export function postgresPool({ url, most = mostConnections, patienceMs = 5_000, broken }: PoolOptions): PostgresPool {
  const pool = new pg.Pool({
    connectionString: url,
    max: most,
    connectionTimeoutMillis: patienceMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'gantry',
    // A statement or an idle transaction that holds locks for longer holds up every server.
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 30_000,
    types,
  })
  pool.on('error', (error) => broken?.(error))
  // Whoever uses one hears of it by his statement; the event must only not end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const names = statementNames()
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      try {
        return wrap(await pool.connect(), names)
      } catch (error) {
        throw explained(error)
      }
    },
  }
}

type StatementNames = ReturnType<typeof statementNames>

/** Most texts that come again and again are kept prepared; those of every length of a list of values are not worth it. */
const mostNames = 500
const longestNamed = 4_000

function statementNames() {
  const known = new Map<string, { seen: number; name: string }>()
  let generation = 0
  return {
    of(text: string): string | undefined {
      if (text.length > longestNamed) return undefined
      const entry = known.get(text)
      if (!entry) {
        if (known.size >= mostNames) known.delete(known.keys().next().value ?? '')
        known.set(text, { seen: 1, name: createHash('sha256').update(text).digest('hex').slice(0, 24) })
        return undefined
      }
      entry.seen += 1
      return entry.seen > 2 ? `${entry.name}${generation}` : undefined
    },
    /** A newer server has changed a table: what was prepared before does not fit any more. */
    forget() {
      generation += 1
    },
  }
}

function wrap(client: pg.PoolClient, names: StatementNames): PostgresPoolClient {
  let inTransaction = false
  const ask = async (text: string, values: readonly unknown[], name: string | undefined) => {
    const query = { text, values: [...values] }
    return client.query(name === undefined ? query : { ...query, name })
  }
  let last: Promise<unknown> = Promise.resolve()
  const one = async (text: string, values: readonly unknown[]) => {
    const name = names.of(text)
    if (text.startsWith('begin') || text.startsWith('start transaction')) inTransaction = true
    try {
      return await ask(text, values, name)
    } catch (error) {
      if (!isStalePlan(error)) throw explained(error)
      names.forget()
      // Within a transaction nothing can be asked any more; the whole of it is done again.
      if (inTransaction) throw error
      return await ask(text, values, undefined).catch((again: unknown) => Promise.reject(explained(again)))
    } finally {
      if (text === 'commit' || text === 'rollback') inTransaction = false
    }
  }
  // Several may be asked at once within a transaction; a connection answers one after another.
  const query = (text: string, values: readonly unknown[] = []) => {
    const mine = last.then(() => one(text, values))
    last = mine.catch(() => undefined)
    return mine
  }
  return {
    query: query as unknown as PostgresPoolClient['query'],
    // What broke within a transaction may be half way through it.
    release: (destroy) => client.release(destroy === true || inTransaction),
  }
}

/** SQLSTATE of an error of PostgreSQL's; undefined: another one. */
export function sqlState(error: unknown): string | undefined {
  const cause = error instanceof Fault ? error.cause : error
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined
  return typeof cause.code === 'string' ? cause.code : undefined
}

function isStalePlan(error: unknown): boolean {
  return sqlState(error) === '0A000' && (error as Error).message.includes('cached plan')
}

/** Deadlock, serialization failure, a plan from before a change of the schema: over, and likely to succeed when done again. */
export function isPassing(error: unknown): boolean {
  const state = sqlState(error)
  return state === '40P01' || state === '40001' || isStalePlan(error)
}

/** Codes of Node's and classes of PostgreSQL's (Appendix A of its manual) that mean: the database is not there, or not now. */
const awayCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03',
  '53300',
  '25006',
])
const awayMessages =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/

/** It ended the connection, whatever for: a database that has just started on a full disk lets nobody in. Not what only an operator can change. */
function isLetGo(error: unknown, state: string | undefined): boolean {
  const severity = typeof error === 'object' && error !== null && 'severity' in error ? error.severity : undefined
  return (severity === 'FATAL' || severity === 'PANIC') && !/^(28|3D)/.test(state ?? '')
}

function explained(error: unknown): unknown {
  const state = sqlState(error)
  if (state === '53100') return new Fault('store.full', {}, error)
  const isAway =
    (state !== undefined && (awayCodes.has(state) || state.startsWith('08'))) ||
    isLetGo(error, state) ||
    (error instanceof Error && awayMessages.test(error.message))
  return isAway ? new Fault('store.unavailable', {}, error) : error
}
