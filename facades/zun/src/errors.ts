import { Fault, type FaultCode, type FaultKind, reasonOf } from '@gantry/kernel'
import { baseUrl, callerOf, statusOfKind } from '@gantry/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/**
 * An answer that only Zun's language knows (version gates, its schema errors). `kebab` is the last part of the error's code;
 * empty for routing errors.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly kebab: string
  readonly extra: Readonly<Record<string, string>>

  constructor(status: number, kebab: string, message: string, extra: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.kebab = kebab
    this.extra = extra
  }
}

/** 400 for a body or argument that does not have the expected form. */
export function schemaError(problem: string): Refusal {
  return new Refusal(400, 'schema-validation-error', problem)
}

const kebabOfCode: Partial<Record<FaultCode, string>> = {
  'request.invalid': 'invalid-value',
  'container.not-found': 'container-not-found',
  'container.name-taken': 'container-already-exists',
  'container.state': 'invalid-state-exception',
  'container.not-interactive': 'no-interactive-flag',
  'container.exec-not-found': 'invalid-parameter-value',
  'container.path-not-found': 'invalid-parameter-value',
  'console.refused': 'invalid-websocket-token',
  'image.not-found': 'image-not-found',
  'host.not-found': 'compute-node-not-found',
  'capsule.not-found': 'container-not-found',
  'registry.not-found': 'registry-not-found',
}

/** Networks and volumes have one fault for several nouns, which Zun tells apart. */
const nounCodes: readonly FaultCode[] = ['network.not-found', 'volume.not-found']
const nouns = ['network', 'subnet', 'port', 'volume']
/** What a container asks for and something else holds: Zun calls that a bad request, not a conflict. */
const takenCodes: readonly FaultCode[] = ['network.in-use', 'volume.in-use']

const plainCodes: readonly FaultCode[] = [
  'service.unavailable',
  'request.crowded',
  'project.busy',
  'events.busy',
  'upload.busy',
]

/** The last part of the error's code. */
export function kebabOf(fault: Fault): string {
  const noun = String(fault.details['type'] ?? '')
  if (nounCodes.includes(fault.code) && nouns.includes(noun)) return `${noun}-not-found`
  if (takenCodes.includes(fault.code)) return nouns.includes(noun) ? `${noun}-in-use` : 'invalid'
  return kebabOfCode[fault.code] ?? kebabOfKind[fault.kind]
}

const kebabOfKind: Record<FaultKind, string> = {
  invalid: 'invalid',
  unauthenticated: '',
  forbidden: 'policy-not-authorized',
  'not-found': 'resource-not-found',
  conflict: 'conflict',
  'over-quota': 'over-quota',
  'too-many': 'too-many-requests',
  'too-large': '',
  unsupported: 'not-implemented',
  unavailable: '',
  internal: '',
}

export interface Answer {
  readonly status: number
  readonly kebab: string
  readonly title: string
  readonly detail: string
  readonly extra?: Readonly<Record<string, string>>
}

export interface ErrorOptions {
  /** What `WWW-Authenticate` names; by default the identity service under the same address. */
  readonly identityUrl?: string | undefined
}

/** Zun's error reply for anything thrown. What went wrong inside is logged, never told. */
export function errorHandler({ identityUrl }: ErrorOptions) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof Fault && error.kind === 'unauthenticated') {
      return unauthenticated(error, reply, identityUrl ?? `${baseUrl(request)}/identity`)
    }
    const answer = answerTo(error, request)
    if (answer.status >= 500 && answer.status !== 501) {
      request.log.error({ err: error, requestId: request.id }, 'zun request failed')
    }
    return sendError(reply, answer)
  }
}

/** Writes Zun's one-error body. */
export function sendError(reply: FastifyReply, answer: Answer): FastifyReply {
  // A streamed reply may have announced another type before it failed.
  return reply.code(answer.status).type('application/json').send(errorBody(answer))
}

export function errorBody({ status, kebab, title, detail, extra = {} }: Answer): object {
  return { errors: [{ request_id: '', code: `container.${kebab}`, status, title, detail, links: [], ...extra }] }
}

function answerTo(error: unknown, request: FastifyRequest): Answer {
  if (error instanceof Refusal) return same(error.status, error.kebab, error.message, error.extra)
  if (error instanceof Fault) return faultAnswer(error, request)
  const status = statusCodeOf(error)
  if (status >= 400 && status < 500) {
    return same(status, status === 400 ? 'schema-validation-error' : '', clientProblem(status, error))
  }
  return hidden(500, 'The server could not carry out the request', request)
}

function faultAnswer(fault: Fault, request: FastifyRequest): Answer {
  const status = statusOfKind[fault.kind]
  if (fault.kind === 'internal') return hidden(status, 'The container engine or the service failed', request)
  if (fault.kind === 'unavailable') {
    // Host names are for administrators only; everybody may know which service is away, and what there is too much of.
    const isPlain = plainCodes.includes(fault.code) || isAdmin(request)
    const text = isPlain ? fault.message : 'What the request needs is out of reach at the moment; try again soon.'
    return {
      status,
      kebab: '',
      title: 'Service unavailable',
      detail: `${text.replace(/(?<![.!?])$/, '.')} (Reference: ${request.id}.)`,
    }
  }
  return same(takenCodes.includes(fault.code) ? 400 : status, kebabOf(fault), fault.message)
}

function same(status: number, kebab: string, text: string, extra: Readonly<Record<string, string>> = {}): Answer {
  return { status, kebab, title: text, detail: text, extra }
}

function hidden(status: number, what: string, request: FastifyRequest): Answer {
  const detail = `${what}; its log has the details under ${request.id}.`
  return { status, kebab: '', title: 'Internal server error', detail }
}

function clientProblem(status: number, error: unknown): string {
  if (status === 413) return 'The request body is too large.'
  if (status === 415) return 'The request body must be JSON (Content-Type: application/json).'
  return reasonOf(error)
}

function statusCodeOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500
  return typeof error.statusCode === 'number' ? error.statusCode : 500
}

function isAdmin(request: FastifyRequest): boolean {
  try {
    return callerOf(request).isAdmin
  } catch {
    return false
  }
}

/** The shape of OpenStack's authentication layer, which differs from Zun's own. */
function unauthenticated(fault: Fault, reply: FastifyReply, identityUrl: string): FastifyReply {
  return reply
    .code(401)
    .header('www-authenticate', `Keystone uri="${identityUrl}"`)
    .type('application/json')
    .send({ error: { code: 401, title: 'Unauthorized', message: fault.message } })
}

/**
 * zunclient fails on this header with a TypeError in place of the error, unless the status is 413. Its users read how long to wait in the
 * sentence. Within a session it forgets its own name and leaves that of the library below.
 */
export function spareZunclient(app: FastifyInstance): void {
  app.addHook('onSend', async ({ headers }, reply) => {
    const isZunclient = /^python-(zunclient|urllib3)/.test(headers['user-agent'] ?? '')
    if (isZunclient && headers['openstack-api-version'] !== undefined) reply.removeHeader('retry-after')
  })
}
