import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { SelfWritingBody } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What the request carries, as it comes; null: it carries nothing. */
export function bodyOf(request: FastifyRequest): Readable | null {
  return request.body instanceof Readable ? request.body : null
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
  // Whoever destroyed it could not tell any more whether the client had broken off.
  for await (const part of bodyOf(request)?.iterator({ destroyOnReturn: false }) ?? []) {
    const chunk = part as Buffer
    size += chunk.length
    if (size <= limit) parts.push(chunk)
    if (size > patience * limit) throw tooLarge()
  }
  if (size > limit) throw tooLarge()
  return Buffer.concat(parts)
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
    if (writesItself(body)) {
      await body.writeTo(raw)
      raw.end()
    } else await pipeline(body, raw)
  } catch (error) {
    reply.log.debug({ err: error }, 'a download ended early')
    raw.destroy()
    if (!raw.closed) await once(raw, 'close')
  }
  return reply
}

function writesItself(body: Readable): body is SelfWritingBody {
  return 'writeTo' in body
}
