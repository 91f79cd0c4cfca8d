import { type Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Readable } from 'node:stream'

export interface Exchange {
  readonly socketPath: string
  readonly agent: Agent
  readonly method: string
  readonly path: string
  /** JSON text, or a tar as a stream. */
  readonly body: string | Readable | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
  /** How long the answer may take to begin, ms; 0: for ever. */
  readonly answerWithinMs: number
}

/** The answer did not begin in time. */
export class AnswerTimeout extends Error {
  override readonly name = 'AnswerTimeout'
}

/**
 * One HTTP request over a unix socket; resolves when the answer's head is there. The signal ends the answer's body too.
 * A request that met a kept connection at the moment of its end (an engine that was restarted) is sent once more.
 */
export async function exchange(options: Exchange): Promise<IncomingMessage> {
  const first: { reused: boolean } = { reused: false }
  try {
    return await attempt(options, (call) => {
      first.reused = call.reusedSocket
    })
  } catch (error) {
    const stale = first.reused && error instanceof Error && 'code' in error && staleCodes.has(String(error.code))
    if (!stale || typeof options.body === 'object' || options.signal?.aborted) throw error
    return attempt(options, () => undefined)
  }
}

const staleCodes = new Set(['ECONNRESET', 'EPIPE'])

/** A longer one ends at once; the grace of a stop may ask for it. */
const longestTimer = 2 ** 31 - 1

function attempt(options: Exchange, onFail: (call: ClientRequest) => void): Promise<IncomingMessage> {
  const { socketPath, agent, method, path, body, signal, answerWithinMs } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const call = httpRequest({ socketPath, agent, method, path, headers: { ...options.headers, ...headersOf(body) } })
    const timer =
      answerWithinMs > 0
        ? setTimeout(() => call.destroy(new AnswerTimeout('no answer')), Math.min(answerWithinMs, longestTimer))
        : undefined
    let answer: IncomingMessage | null = null
    const abort = () => {
      answer?.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
      call.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
    }
    signal?.addEventListener('abort', abort, { once: true })
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    call.on('close', done)
    call.on('error', (error) => {
      onFail(call)
      reject(error)
    })
    call.on('response', (response) => {
      clearTimeout(timer)
      answer = response
      response.once('end', () => {
        // Answered before it had taken the whole body: the rest must not be sent as if it were a next request.
        if (!call.writableFinished) call.destroy()
      })
      resolve(response)
    })
    if (typeof body !== 'object') {
      call.end(body)
      return
    }
    body.on('error', (error) => call.destroy(error))
    body.pipe(call)
  })
}

function headersOf(body: Exchange['body']): Record<string, string | number> {
  if (body === undefined) return {}
  if (typeof body === 'object') return { 'content-type': 'application/x-tar' }
  return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
}
