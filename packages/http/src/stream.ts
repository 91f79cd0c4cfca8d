import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply } from 'fastify'

/** Calls `over` when the answer is complete or the client has gone away, also where that was before: while its token was looked at. */
export function whenClosed({ raw }: FastifyReply, over: () => void): void {
  if (raw.destroyed) over()
  else raw.once('close', over)
}

/** Aborted when the client goes away before the answer is complete: cancels whatever feeds the stream. */
export function streamSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  whenClosed(reply, () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client closed the connection'))
  })
  return controller.signal
}

/**
 * Answers 200 with `output` as the body. Headers leave at once, before the first byte of the body exists, because a client
 * that follows a quiet log must know that it is connected. A source that fails mid-way cuts the connection: the status is
 * long gone, and a cleanly ended body would claim that it was complete.
 */
export async function sendStream(
  reply: FastifyReply,
  output: Readable,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const held = reply.getHeaders()
  reply.hijack()
  const { raw } = reply
  for (const [name, value] of Object.entries(held)) if (value !== undefined) raw.setHeader(name, value)
  raw.writeHead(200, headers)
  raw.flushHeaders()
  try {
    await pipeline(output, raw)
  } catch (error) {
    reply.log.debug({ err: error }, 'a stream ended early')
    raw.destroy()
  }
}
