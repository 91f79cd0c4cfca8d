import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { Fault } from '@gantry/kernel'

export interface EngineCall {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly tar?: Buffer
  /** Further statuses that are answers and no failures. */
  readonly also?: readonly number[]
  readonly signal: AbortSignal
}

export interface EngineAnswer {
  readonly status: number
  /** Parsed; null: there was none. */
  readonly body: unknown
}

export type EngineCaller = (call: EngineCall) => Promise<EngineAnswer>

/** Calls of the Engine API at a unix socket. Throws `compute.failed` with what the engine says. */
export function engineCaller(socketPath: string): EngineCaller {
  return async ({ method = 'GET', path, query = {}, json, tar, also = [], signal }) => {
    const search = new URLSearchParams(query).toString()
    const body = tar ?? (json === undefined ? undefined : Buffer.from(JSON.stringify(json)))
    const type = tar ? 'application/x-tar' : 'application/json'
    const headers = body ? { 'content-type': type, 'content-length': body.length } : {}
    const options = { socketPath, method, path: search === '' ? path : `${path}?${search}`, headers, signal }
    const answer = await new Promise<{ status: number; text: string }>((done, failed) => {
      const asked = request(options, (response) => {
        text(response).then((all) => done({ status: response.statusCode ?? 0, text: all }), failed)
      })
      asked.on('error', failed)
      asked.end(body)
    }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw failure(`the engine at ${socketPath} does not answer (${String(error)})`, error)
    })
    if (answer.status >= 300 && !also.includes(answer.status)) throw failure(reasonIn(answer.text))
    return { status: answer.status, body: parsed(answer.text) }
  }
}

function failure(reason: string, cause?: unknown): Fault {
  return new Fault('compute.failed', { provider: 'the embedded provider', reason }, cause)
}

function parsed(body: string): unknown {
  try {
    return body === '' ? null : JSON.parse(body)
  } catch {
    // Progress of an import: a line each.
    return null
  }
}

function reasonIn(body: string): string {
  const value = parsed(body)
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message)
  return body.slice(0, 300)
}
