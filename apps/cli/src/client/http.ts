import http, { type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { exitCodes, Failure } from '../failure.ts'
import { Patience } from './patience.ts'

/** Where a server is, and how it is to be believed. */
export interface Target {
  /** `https://cloud:9700`, without a slash at the end. */
  readonly url: string
  /** PEM of the authority that signed the server's certificate; the system's own ones if left out. */
  readonly ca?: Buffer | undefined
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface Call {
  readonly method?: string
  /** From the root of the target. */
  readonly path: string
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it comes, while the answer is already being read. */
  readonly input?: Readable
  /** It may be made twice: also a 503 is waited for. */
  readonly repeatable?: boolean
  readonly signal?: AbortSignal
}

export interface HttpClient {
  /**
   * The answer of any status, its body unread. Rejects with a `Failure` when the server cannot be reached. A call that the server refuses
   * with 429 has not been begun: it is made again when the server says so, unless it sends `input`.
   */
  open(call: Call): Promise<IncomingMessage>
  /** Lets go of idle connections. */
  close(): void
}

/** A keep-alive client of one server on nothing but Node: a command line has to start in milliseconds. */
export async function httpClient({ url, ca }: Target): Promise<HttpClient> {
  const secure = url.startsWith('https:')
  const library = secure ? await import('node:https') : http
  const agent = new library.Agent({ keepAlive: true, ...(ca ? { ca } : {}) })
  const openOnce = (call: Call) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { method = 'GET', json, input, signal } = call
      const body = json === undefined ? undefined : JSON.stringify(json)
      const request = library.request(addressOf(url, call), {
        method,
        agent,
        headers: { accept: 'application/json', ...typeOf(call), ...call.headers },
        ...(signal ? { signal } : {}),
      })
      request.once('response', resolve)
      request.on('error', (error) => reject(unreachable(url, error)))
      if (!input) return void request.end(body)
      request.flushHeaders()
      input.pipe(request)
    })
  const waited = (patience: Patience, answer: IncomingMessage, { signal }: Call) =>
    patience.wait(answer, signal).catch((error: unknown) => Promise.reject(unreachable(url, error as Error)))
  return {
    async open(call) {
      const patience = new Patience()
      for (;;) {
        const answer = await openOnce(call)
        const isRefused = answer.statusCode === 429 || (answer.statusCode === 503 && call.repeatable === true)
        if (!isRefused || call.input || !(await waited(patience, answer, call))) return answer
        answer.resume()
      }
    },
    close: () => agent.destroy(),
  }
}

function addressOf(url: string, { path, query = {} }: Call): URL {
  const address = new URL(url + path)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) address.searchParams.set(name, String(value))
  }
  return address
}

function typeOf({ json, input }: Call): Record<string, string> {
  if (json !== undefined) return { 'content-type': 'application/json' }
  return input ? { 'content-type': 'application/octet-stream' } : {}
}

function unreachable(url: string, error: Error & { code?: string }): Failure {
  if (error.name === 'AbortError') return new Failure('Interrupted.', { exitCode: exitCodes.interrupted, cause: error })
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(error.code ?? '')
  const remedy = certificate
    ? 'Name the authority that signed its certificate with OS_CACERT.'
    : 'Check the address; on this machine, `gantry status` tells whether it runs and `gantry up` starts it.'
  return new Failure(`Cannot reach ${url}: ${whyOf(error)}.`, { remedy, cause: error })
}

/** Node gathers the attempts on several addresses into one error without a text of its own. */
function whyOf(error: Error): string {
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
  return first.message || first.name
}

/** The body of an answer as JSON; undefined if empty or not JSON. At most a few MiB by the API's own paging. */
export async function bodyOf(answer: IncomingMessage): Promise<unknown> {
  const body = await text(answer)
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
