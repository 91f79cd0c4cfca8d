import { Readable } from 'node:stream'
import { apart } from '@gantry/http'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** In this scope bodies are not read before the route asks for them. */
export function streamBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    // A client that goes away is told of where the body is read.
    payload.on('error', () => undefined)
    done(null, payload)
  })
}

/** What the request carries, as it comes. A refusal in the middle of it does not cut the client off. */
export function contentOf(request: FastifyRequest): Readable {
  return request.body instanceof Readable ? apart(request.body) : Readable.from([], { objectMode: false })
}

export function hasContent({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
