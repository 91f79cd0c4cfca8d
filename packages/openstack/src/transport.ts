import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Ids } from '@gantry/kernel'
import { Agent, type Dispatcher, interceptors, type RetryHandler } from 'undici'
import {
  type Answer,
  answeredIdOf,
  type CallNote,
  type Content,
  type Context,
  type Method,
  type StreamAnswer,
} from './call.ts'
import { OpenStackError } from './openstack-error.ts'
import { outcomeOf, textOf, wordsOf } from './outcome.ts'
import { type Outcome, type Patience, usualPatience, waitBeforeRepeat } from './repeat-policy.ts'

/** One request, with everything that is sent. */
export interface Sending {
  readonly service: string
  readonly method: Method
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Content | null
  readonly mayRepeat: boolean
  readonly withinMs?: number | undefined
}

export interface TransportOptions {
  /** PEM; in place of the authorities that the machine trusts. */
  readonly ca?: string
  /** Any certificate is good enough. */
  readonly insecure?: boolean
  readonly userAgent?: string
  readonly patience?: Patience
  readonly clock: Clock
  readonly ids: Ids
  /** In [0, 1), for jitter. */
  readonly random: () => number
  readonly seen?: (note: CallNote) => void
}

/** Carries requests to services; knows nothing of tokens. Both answer with any status. */
export interface Transport extends AsyncDisposable {
  readonly clock: Clock
  ask(sending: Sending, context: Context): Promise<Answer>
  /** For what is too large for memory. A body that breaks off is continued where it did, if the service can do that. */
  stream(sending: Sending, context: Context): Promise<StreamAnswer>
}

const connectTimeoutMs = 10_000
const usualWithinMs = 60_000
/** A service may have to put away what it was sent before it answers. */
const streamSilenceMs = 600_000
/** Bytes of an answer that is read as a whole. */
const mostOfAnswer = 64 * 1024 * 1024

export function createTransport(options: TransportOptions): Transport {
  const { ca, insecure = false, userAgent = 'gantry', patience = usualPatience, clock, ids, random, seen } = options
  const agent = new Agent({
    connect: {
      timeout: connectTimeoutMs,
      allowH2: false,
      ...(ca !== undefined && { ca }),
      ...(insecure && { rejectUnauthorized: false }),
    },
    allowH2: false,
    connections: 64,
  })

  return {
    clock,
    async ask(sending, context) {
      const requestId = context.requestId ?? `req-${ids.uuid()}`
      for (let attempt = 0; ; attempt += 1) {
        const began = clock.now()
        const told = await askOnce(agent, dispatched(sending, requestId), sending, context.signal)
        note(sending, requestId, attempt, told, clock.now() - began)
        const canSendAgain = sending.body === null || typeof sending.body === 'string' || sending.body.canReopen
        const { mayRepeat } = sending
        const wait = canSendAgain
          ? waitBeforeRepeat({ attempt, mayRepeat, outcome: told.outcome }, patience, { clock, random })
          : undefined
        if (wait === undefined) {
          if ('answer' in told) return { ...told.answer, attempts: attempt + 1 }
          throw failed(sending, told.error, requestId)
        }
        await sleep(wait, undefined, { signal: context.signal }).catch(() => context.signal.throwIfAborted())
      }
    },
    async stream(sending, context) {
      const requestId = context.requestId ?? `req-${ids.uuid()}`
      const state = { began: clock.now(), attempt: 0 }
      const retry: RetryHandler.RetryCallback = (error, _state, done) => {
        const outcome = outcomeOf(error)
        note(sending, requestId, state.attempt, { outcome }, clock.now() - state.began)
        const { mayRepeat } = sending
        const wait = waitBeforeRepeat({ attempt: state.attempt, mayRepeat, outcome }, patience, { clock, random })
        state.attempt += 1
        if (wait !== undefined) return setTimeout(() => done(null), wait)
        done(error)
        return undefined
      }
      const { signal } = context
      try {
        const answer = await agent.compose(interceptors.retry({ retry, throwOnError: false })).request({
          ...dispatched(sending, requestId),
          headersTimeout: sending.withinMs ?? usualWithinMs,
          bodyTimeout: sending.withinMs ?? usualWithinMs,
          signal,
        })
        const { statusCode: status, headers } = answer
        note(sending, requestId, state.attempt, { outcome: { status }, answer: { headers } }, clock.now() - state.began)
        return { status, headers, body: answer.body }
      } catch (error) {
        signal.throwIfAborted()
        throw failed(sending, error, requestId)
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  }

  function dispatched({ method, url, headers, body }: Sending, requestId: string) {
    return {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: {
        'user-agent': userAgent,
        accept: 'application/json',
        'x-openstack-request-id': requestId,
        ...(typeof body === 'object' && body?.bytes !== undefined && { 'content-length': String(body.bytes) }),
        ...headers,
      },
    }
  }

  function note(
    { service, method, url }: Sending,
    requestId: string,
    attempt: number,
    told: { outcome: Outcome; answer?: Pick<Answer, 'headers'>; error?: unknown },
    took: number,
  ): void {
    seen?.({
      service,
      method,
      origin: url.origin,
      path: url.pathname,
      attempt: attempt + 1,
      status: told.outcome.status ?? null,
      problem: told.outcome.status === undefined ? (told.outcome.errorCode ?? wordsOf(told.error)) : null,
      took,
      requestId,
      answeredId: told.answer ? answeredIdOf(told.answer.headers) : null,
    })
  }
}

type Told =
  | { readonly outcome: Outcome; readonly answer: Omit<Answer, 'attempts'> }
  | { readonly outcome: Outcome; readonly error: unknown }

/** Throws only what is not the service's affair: the caller's abort, and a body that could not be read. */
async function askOnce(
  agent: Dispatcher,
  request: Omit<Dispatcher.RequestOptions, 'origin'> & { origin: string },
  { body, withinMs }: Sending,
  signal: AbortSignal,
): Promise<Told> {
  signal.throwIfAborted()
  const isStream = typeof body === 'object' && body !== null
  const limit = isStream ? null : AbortSignal.timeout(withinMs ?? usualWithinMs)
  const own: { error: unknown } = { error: undefined }
  const opened = isStream ? await body.open() : body
  if (opened instanceof Readable) opened.once('error', (error) => (own.error = error))
  try {
    const answer = await agent.request({
      ...request,
      body: opened,
      signal: limit ? AbortSignal.any([signal, limit]) : signal,
      headersTimeout: isStream ? (withinMs ?? streamSilenceMs) : 0,
      bodyTimeout: withinMs ?? usualWithinMs,
    })
    const { statusCode: status, headers } = answer
    const whole = await bounded(answer.body)
    return { outcome: { status, retryAfter: textOf(headers['retry-after']) }, answer: { status, headers, body: whole } }
  } catch (error) {
    signal.throwIfAborted()
    if (own.error !== undefined) throw own.error
    if (limit?.aborted)
      return { outcome: { errorCode: 'time' }, error: new Error(`no answer within ${seconds(withinMs)}`) }
    return { outcome: outcomeOf(error), error }
  } finally {
    if (opened instanceof Readable) opened.destroy()
  }
}

async function bounded(body: Readable): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length
    if (size > mostOfAnswer) throw new Error(`the answer is larger than ${mostOfAnswer} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function failed({ service, method, url }: Sending, error: unknown, requestId: string): OpenStackError {
  const reason = `no usable answer from ${url.origin}: ${wordsOf(error)}`
  return new OpenStackError({ failure: 'unreachable', service, method, path: url.pathname, reason, requestId })
}

function seconds(ms = usualWithinMs): string {
  return `${ms / 1000} s`
}
