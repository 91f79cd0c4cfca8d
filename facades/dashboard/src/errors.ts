import { statusOfKind } from '@gantry/http'
import { Fault, reasonOf } from '@gantry/kernel'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** The native API's error format, which the page reads everywhere. */
export function dashboardErrors(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = toFault(error, request)
  if (fault.kind === 'internal') request.log.error({ err: error }, 'request failed')
  const { code, kind, message, retry } = fault
  return reply
    .code(statusOfKind[kind])
    .type('application/json; charset=utf-8')
    .send({ error: { code, kind, message, retry, requestId: request.id } })
}

function toFault(error: unknown, request: FastifyRequest): Fault {
  if (error instanceof Fault) return error
  const status = (error as Partial<FastifyError> | null)?.statusCode ?? 500
  if (status >= 400 && status < 500) return new Fault('request.invalid', { problem: reasonOf(error) }, error)
  return new Fault('internal', { reference: request.id }, error)
}
