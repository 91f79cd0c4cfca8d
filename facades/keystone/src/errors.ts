import { STATUS_CODES } from 'node:http'
import { Fault, reasonOf } from '@gantry/kernel'
import { baseUrl, statusOfKind } from '@gantry/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Keystone's error document for everything that goes wrong below this prefix, also for routes that do not exist. */
export function handleErrors(app: FastifyInstance, prefix: string): void {
  app.setErrorHandler((error, request, reply) => answer(request, reply, prefix, toFault(error, request)))
  app.setNotFoundHandler((request, reply) => {
    const known = unsupported.find((name) => request.url.startsWith(`${prefix}/v3/${name}`))
    const fault = known
      ? new Fault('request.unsupported', { feature: known, reason: 'the embedded identity service does not cover it' })
      : undefined
    answer(request, reply, prefix, fault ?? { status: 404, message: 'The resource could not be found.' })
  })
}

/** Parts of the Identity API that clients may probe for. */
const unsupported = [
  'limits',
  'registered_limits',
  'policies',
  'credentials',
  'ec2tokens',
  'OS-TRUST',
  'OS-FEDERATION',
  'OS-INHERIT',
  'OS-OAUTH1',
  'OS-OAUTH2',
  'OS-EP-FILTER',
  'OS-ENDPOINT-POLICY',
  'role_inferences',
  'auth/OS-FEDERATION',
]

interface Refusal {
  readonly status: number
  readonly message: string
}

function toFault(error: unknown, request: FastifyRequest): Fault | Refusal {
  if (error instanceof Fault) return error
  const status = statusOf(error)
  // What Fastify itself refuses: malformed JSON, an unknown content type, a body that is too large.
  if (status >= 400 && status < 500) return { status, message: reasonOf(error) }
  request.log.error({ err: error, requestId: request.id }, 'identity request failed')
  return new Fault('internal', { reference: request.id })
}

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' ? status : 500
}

function answer(request: FastifyRequest, reply: FastifyReply, prefix: string, problem: Fault | Refusal): void {
  const status = problem instanceof Fault ? statusOfKind[problem.kind] : problem.status
  if (status === 401) reply.header('WWW-Authenticate', `Keystone uri="${baseUrl(request)}${prefix}/v3"`)
  if (problem instanceof Fault && typeof problem.details['seconds'] === 'number') {
    reply.header('Retry-After', problem.details['seconds'])
  }
  const title = STATUS_CODES[status] ?? 'Error'
  void reply.code(status).send({ error: { code: status, message: problem.message, title } })
}
