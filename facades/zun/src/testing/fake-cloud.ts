import { createHttpApp } from '@gantry/http'
import type { FastifyBaseLogger } from 'fastify'
import { zunFacade } from '../facade.ts'
import { type FakeControl, fakeControl } from './fake-control.ts'
import { fakeNow, fakeVerifier } from './fake-data.ts'

export interface FakeCloud extends AsyncDisposable {
  readonly control: FakeControl
  /** `http://127.0.0.1:port` */
  readonly origin: string
  /** One request to `/container` + path; the token is `demo` unless told. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>
}

export interface AskOptions {
  readonly token?: string | null
  readonly version?: string
  readonly headers?: Record<string, string>
  /** Strings go as they are; anything else as JSON. */
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: unknown
}

/** The façade on a fake control behind a real socket. */
export async function fakeCloud(): Promise<FakeCloud> {
  const control = fakeControl()
  const app = createHttpApp({ log: quietLog() })
  await app.register(zunFacade, {
    prefix: '/container',
    control,
    verifier: fakeVerifier,
    clock: { now: () => fakeNow },
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const ask = async (method: string, path: string, options: AskOptions = {}): Promise<Answer> => {
    const { token = 'demo', version, headers, body } = options
    const response = await fetch(`${origin}/container${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { 'x-auth-token': token }),
        ...(version === undefined ? {} : { 'openstack-api-version': `container ${version}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parsed(text) }
  }
  return { control, origin, ask, [Symbol.asyncDispose]: () => app.close() }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A log that nobody reads. */
export function quietLog(): FastifyBaseLogger {
  const quiet = () => undefined
  const log: FastifyBaseLogger = {
    level: 'silent',
    fatal: quiet,
    error: quiet,
    warn: quiet,
    info: quiet,
    debug: quiet,
    trace: quiet,
    silent: quiet,
    child: () => log,
  }
  return log
}
