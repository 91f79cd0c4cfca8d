import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault } from '@gantry/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What the request carries, as it comes; null: it carries nothing. */
export function bodyOf(request: FastifyRequest): Readable | null {
  return request.body instanceof Readable ? request.body : null
}

/** How much of a body may wait for whoever stores it. Bytes. */
const waiting = 1 << 20

/**
 * The same bytes as a stream of its own: who lets go of it, because it takes no more, does not cut the connection, on which the client
 * must be told why. What comes then is dropped.
 */
export function apart(body: Readable): Readable {
  const own = new Readable({
    highWaterMark: waiting,
    read: () => void body.resume(),
    destroy(error, done) {
      body.off('data', give)
      body.resume()
      done(error)
    },
  })
  const give = (chunk: Buffer) => {
    if (!own.push(chunk)) body.pause()
  }
  body.on('data', give)
  body.once('end', () => own.push(null))
  body.once('close', () => {
    if (!body.readableEnded) own.destroy(new Error('the client closed the connection'))
  })
  return own
}

/** Bytes that the body will have; null: nobody says. */
export function lengthOf({ headers }: FastifyRequest): number | null {
  const length = Number(headers['content-length'] ?? Number.NaN)
  return Number.isSafeInteger(length) ? length : null
}

/** What is too large is read to its end, so that the client hears of it, unless it is larger than this many times. */
const patience = 4

/** All of a small body. Throws `request.too-large` above `limit` bytes, and keeps no more than those. */
export async function gather(request: FastifyRequest, limit: number): Promise<Buffer> {
  const tooLarge = () => new Fault('request.too-large', { limit })
  if ((lengthOf(request) ?? 0) > patience * limit) throw tooLarge()
  const parts: Buffer[] = []
  let size = 0
  for await (const part of bodyOf(request) ?? []) {
    const chunk = part as Buffer
    size += chunk.length
    if (size <= limit) parts.push(chunk)
    if (size > patience * limit) throw tooLarge()
  }
  if (size > limit) throw tooLarge()
  return Buffer.concat(parts)
}

/** Aborted when the client is gone before it has its answer. */
export function clientSignal({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  const gone = () => {
    if (!raw.writableFinished) controller.abort(new Error('the client closed the connection'))
  }
  if (raw.destroyed) gone()
  else raw.once('close', gone)
  return controller.signal
}

/**
 * Answers with what `body` gives. A body that fails cuts the connection: the head is long gone, and the client must not take
 * what it has for all.
 */
export async function sendBody(
  reply: FastifyReply,
  status: number,
  headers: Readonly<Record<string, string | number>>,
  body: Readable,
): Promise<FastifyReply> {
  const held = reply.getHeaders()
  reply.hijack()
  const { raw } = reply
  for (const [name, value] of Object.entries(held)) if (value !== undefined) raw.setHeader(name, value)
  raw.writeHead(status, headers)
  try {
    await pipeline(body, raw)
  } catch (error) {
    reply.log.debug({ err: error }, 'a download ended early')
    raw.destroy()
    if (!raw.closed) await once(raw, 'close')
  }
  return reply
}
