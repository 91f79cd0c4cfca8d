import { STATUS_CODES } from 'node:http'
import { baseUrl, statusOfKind } from '@gantry/http'
import { Fault, reasonOf } from '@gantry/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** An answer that only Glance's language knows. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export function invalid(problem: string): Refusal {
  return new Refusal(400, problem)
}

/**
 * Glance's error for anything thrown: a page, or JSON for who asks for it, as WebOb writes both and clients read them. What went wrong
 * inside is logged, never told.
 */
export function glanceErrors(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, message } = problemOf(error, request)
  if (status === 401) return unauthenticated(request, reply, message)
  if (status === 500) request.log.error({ err: error, requestId: request.id }, 'glance request failed')
  const title = STATUS_CODES[status] ?? 'Error'
  const wantsJson = (request.headers.accept ?? '').includes('application/json')
  if (wantsJson) {
    return reply
      .code(status)
      .type('application/json')
      .send({ message, code: `${status} ${title}`, title })
  }
  const page = `<html>\n <head>\n  <title>${status} ${title}</title>\n </head>\n <body>\n  <h1>${status} ${title}</h1>\n  ${escaped(message)}<br /><br />\n </body>\n</html>`
  return reply.code(status).type('text/html; charset=UTF-8').send(page)
}

function problemOf(error: unknown, request: FastifyRequest): { readonly status: number; readonly message: string } {
  if (error instanceof Refusal) return error
  if (error instanceof Fault) {
    if (error.kind === 'internal') return hidden(request)
    // Glance's word for a quota is that the request is too large.
    return { status: error.kind === 'over-quota' ? 413 : statusOfKind[error.kind], message: error.message }
  }
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : 500
  return status >= 400 && status < 500 ? { status, message: reasonOf(error) } : hidden(request)
}

function hidden(request: FastifyRequest) {
  return { status: 500, message: `The service failed; its log has the details under ${request.id}.` }
}

/** The shape of OpenStack's authentication layer, which differs from Glance's own. */
function unauthenticated(request: FastifyRequest, reply: FastifyReply, message: string): FastifyReply {
  return reply
    .code(401)
    .header('www-authenticate', `Keystone uri="${baseUrl(request)}/identity"`)
    .type('application/json')
    .send({ error: { code: 401, title: 'Unauthorized', message } })
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
