import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { EngineError, EngineUnreachable } from './engine-error.ts'
import { AnswerTimeout, exchange } from './http-exchange.ts'

export interface EngineRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'
  readonly path: string
  /** Whose API: the engine's compatible one unless told, or Podman's own. */
  readonly api?: 'libpod'
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON; a stream is sent as it is, as a tar. */
  readonly body?: object | Readable
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** How long the engine may take to begin its answer, ms; 0: as long as it likes. Two minutes unless told. */
  readonly answerWithinMs?: number
}

export interface EngineAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readable
}

/** Carries requests to one engine. Owns its connections. */
export interface EngineTransport {
  /** The whole answer as JSON (or undefined for none). For small answers. */
  json<T>(request: EngineRequest): Promise<T>
  /** The answer as a stream; the caller must read it or destroy it. */
  stream(request: EngineRequest): Promise<EngineAnswer>
  /** Takes the connection over: raw bytes both ways, either side may close its half first. */
  upgrade(request: EngineRequest): Promise<Socket>
  /** Whether the engine is Podman. */
  isPodman(): Promise<boolean>
  close(): Promise<void>
}

/** The oldest API we speak and the newest we know; the engine's own newest is used when it lies between. */
const oldest = 41
const newest = 44
/** The oldest that Podman 4 and 5 both take. */
const libpodPrefix = '/v4.0.0/libpod'

const usualPatienceMs = 120_000

/**
 * Opens a transport to the engine behind the unix socket `socketPath`; connects at the first request. On node:http, which
 * is in the process anyway: undici would add 26 MiB to an agent that is to be small.
 */
export function engineTransport(socketPath: string): EngineTransport {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 16 })
  const closing = new AbortController()
  let greeting: Promise<{ readonly prefix: string; readonly podman: boolean }> | null = null

  const send = async (request: EngineRequest, path: string): Promise<EngineAnswer> => {
    const { method = 'GET', body, answerWithinMs = usualPatienceMs } = request
    const signal = request.signal ? AbortSignal.any([request.signal, closing.signal]) : closing.signal
    try {
      const answer = await exchange({
        socketPath,
        agent,
        method,
        path: path + queryOf(request.query),
        body: body === undefined || isReadable(body) ? body : JSON.stringify(body),
        headers: request.headers ?? {},
        signal,
        answerWithinMs,
      })
      const status = answer.statusCode ?? 500
      if (status >= 400) throw await refusal(status, answer)
      return { status, headers: answer.headers, body: answer }
    } catch (error) {
      throw translate(error, signal)
    }
  }

  // Docker 29.0 refuses versions below 1.44 and 20.10 those above 1.41: no fixed one suits both.
  const negotiated = () => {
    greeting ??= send({ path: '' }, '/_ping').then(({ headers, body }) => {
      body.resume()
      const minor = Number(/^1\.(\d+)/.exec(String(headers['api-version'] ?? ''))?.[1] ?? oldest)
      if (minor < oldest)
        throw new EngineError(400, `The engine speaks API 1.${minor}; at least 1.${oldest} is needed.`)
      return { prefix: `/v1.${Math.min(minor, newest)}`, podman: headers['libpod-api-version'] !== undefined }
    })
    greeting.catch(() => {
      greeting = null
    })
    return greeting
  }
  const pathOf = async ({ api, path }: EngineRequest) =>
    api === 'libpod' ? `${libpodPrefix}${path}` : (await negotiated()).prefix + path
  const stream = async (request: EngineRequest) => send(request, await pathOf(request))

  return {
    stream,
    json: async <T>(request: EngineRequest) => {
      const { body, status } = await stream(request)
      const text = await textOf(body, request.signal)
      // Podman says nothing with a line end.
      return (text.trim() === '' || status === 204 || status === 304 ? undefined : parsed(text)) as T
    },
    upgrade: async (request) => upgraded(socketPath, await pathOf(request), request),
    isPodman: async () => (await negotiated()).podman,
    close: async () => {
      closing.abort(new EngineUnreachable('the connection to it was closed'))
      agent.destroy()
    },
  }
}

function upgraded(socketPath: string, path: string, { query, body, signal }: EngineRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const call = httpRequest({
      socketPath,
      path: path + queryOf(query),
      method: 'POST',
      agent: false,
      headers: {
        ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        connection: 'Upgrade',
        upgrade: 'tcp',
      },
      ...(signal ? { signal } : {}),
    })
    call.on('upgrade', (_answer: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head)
      // The engine ends its half when the output ends; ours must stay open until stdin does.
      socket.allowHalfOpen = true
      resolve(socket)
    })
    call.on('response', (answer) => {
      refusal(answer.statusCode ?? 500, answer).then(reject, reject)
    })
    call.on('error', (error) => reject(translate(error, signal)))
    call.end(text)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new EngineError(500, `The engine's answer is no JSON: ${text.slice(0, 200)}`)
  }
}

function queryOf(query: EngineRequest['query']): string {
  if (!query) return ''
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  return pairs.length === 0
    ? ''
    : `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString()}`
}

async function refusal(status: number, body: Readable): Promise<EngineError> {
  const text = (await textOf(body)).trim()
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) {
      return new EngineError(status, String(parsed.message))
    }
  } catch {
    // Podman and proxies sometimes answer in plain text.
  }
  return new EngineError(status, text === '' ? `The engine answered with status ${status}.` : text.slice(0, 1000))
}

/** Bound for answers read whole; an inspect or a list of thousands stays far below. */
const longestText = 64 << 20

async function textOf(body: Readable, signal?: AbortSignal): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.length
      if (size > longestText) throw new EngineError(500, 'The answer of the engine is too large.')
      parts.push(part)
    }
  } catch (error) {
    throw translate(error, signal)
  }
  return Buffer.concat(parts).toString('utf8')
}

function translate(error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof EngineError || error instanceof EngineUnreachable) return error
  if (signal?.aborted) return signal.reason
  if (!(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return new EngineUnreachable('there is no engine socket', { cause: error })
  if (code === 'ECONNREFUSED') return new EngineUnreachable('nothing listens on the engine socket', { cause: error })
  if (code === 'EACCES')
    return new EngineUnreachable('the engine socket may not be opened (permission)', { cause: error })
  if (error instanceof AnswerTimeout) return new EngineUnreachable('it took too long to answer', { cause: error })
  return new EngineUnreachable(error.message, { cause: error })
}

function isReadable(body: object): body is Readable {
  return 'pipe' in body && typeof body.pipe === 'function'
}
