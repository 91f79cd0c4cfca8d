import { Fault, reasonOf } from '@gantry/kernel'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { statusOfKind } from './status.ts'

/**
 * The error handler of our own formats: answers `{error: {code, kind, message, retry, requestId}}` with the status of the fault's
 * kind, and `field` where a field of the body is meant.
 */
export function answerFault(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = toFault(error, request)
  if (fault.kind === 'internal') request.log.error({ err: error }, 'request failed')
  const { code, kind, message, retry, details } = fault
  return reply
    .code(statusOfKind[kind])
    .type('application/json; charset=utf-8')
    .send({ error: { code, kind, message, retry, requestId: request.id, ...fieldIn(details) } })
}

/** A JSON pointer (RFC 6901) into the body. */
function fieldIn({ field }: Fault['details']): { field?: string } {
  return typeof field === 'string' && field.startsWith('/') ? { field } : {}
}

function toFault(error: unknown, request: FastifyRequest): Fault {
  if (error instanceof Fault) return error
  const status = statusOf(error)
  if (status === 413) return new Fault('request.too-large', { limit: request.routeOptions.bodyLimit })
  if (status === 415) {
    const type = request.headers['content-type'] ?? 'none'
    return new Fault('request.invalid', { problem: `This call does not take a body of content type ${type}.` }, error)
  }
  if (status >= 400 && status < 500) return new Fault('request.invalid', { problem: reasonOf(error) }, error)
  return new Fault('internal', { reference: request.id }, error)
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 500
  const { statusCode } = error as Partial<FastifyError>
  return typeof statusCode === 'number' ? statusCode : 500
}
