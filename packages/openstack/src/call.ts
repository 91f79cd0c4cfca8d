import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'

/** On whose errand a call is made. */
export interface Context {
  readonly signal: AbortSignal
  /**
   * `req-<uuid>`: sent as the global request id, so that the logs of every service tell what one request of a user led to. A fresh
   * one for each call unless told.
   */
  readonly requestId?: string
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** Bytes to send, as a stream that is read no faster than the service takes them. */
export interface Content {
  open(): Readable | Promise<Readable>
  /** Left out when it is not known; the body is then sent in chunks. */
  readonly bytes?: number
  /** Whether `open` may be called once more, after a refused token or a lost connection. */
  readonly canReopen: boolean
}

/** One call of a service, from its endpoint on. */
export interface Call {
  readonly method: Method
  /** From the service's endpoint, with a leading slash; made with `path` if it has names in it. */
  readonly path: string
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly content?: Content
  /** Whether it may be sent again when nobody knows what became of it. As HTTP says for its method, unless told. */
  readonly mayRepeat?: boolean
  /** How long one attempt may take, milliseconds. For streams: how long the service may say nothing. */
  readonly withinMs?: number
}

/** The whole of an answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Of more than one attempt, the last was answered. */
  readonly attempts: number
}

/** An answer whose body is still to come; it must be read or destroyed. */
export interface StreamAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
}

/** What a call left behind, for logs and metrics: no query, no body, no token. */
export interface CallNote {
  readonly service: string
  readonly method: Method
  readonly origin: string
  readonly path: string
  /** From 1. */
  readonly attempt: number
  /** Null when no answer came. */
  readonly status: number | null
  /** Why none came, in a few words. */
  readonly problem: string | null
  /** Milliseconds. */
  readonly took: number
  /** The one that was sent. */
  readonly requestId: string
  /** The service's own. */
  readonly answeredId: string | null
}

/** `` path`/images/${id}/file` ``: what is put in stays one segment, whatever it is made of. */
export function path(texts: TemplateStringsArray, ...names: readonly string[]): string {
  return texts.reduce((whole, text, at) => whole + segment(names[at - 1] ?? '') + text)
}

function segment(name: string): string {
  // A URL with these two would mean another place.
  if (name === '.' || name === '..' || name === '') {
    throw new Fault('request.invalid', { problem: `"${name}" is neither an id nor a name.` })
  }
  return encodeURIComponent(name)
}

/** `?a=1&b=2`, or nothing; a list is a key that comes several times. */
export function queryText(query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([key, value]) => {
    if (value === undefined) return []
    const values = typeof value === 'object' ? value : [String(value)]
    return values.map((one): [string, string] => [key, one])
  })
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`
}

/** The service's id of a request; Swift calls it a transaction. */
export function answeredIdOf(headers: IncomingHttpHeaders): string | null {
  const id = headers['x-openstack-request-id'] ?? headers['x-compute-request-id'] ?? headers['x-trans-id']
  return typeof id === 'string' ? id : null
}
