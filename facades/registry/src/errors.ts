import { statusOfKind } from '@gantry/http'
import { Fault, type FaultCode } from '@gantry/kernel'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** How the distribution spec calls it; `status` where it is not the usual one of the fault's kind. */
interface Wording {
  readonly code: string
  readonly status?: number
}

const wordings: Partial<Record<FaultCode, Wording>> = {
  'repository.invalid': { code: 'NAME_INVALID' },
  'repository.unknown': { code: 'NAME_UNKNOWN' },
  'manifest.unknown': { code: 'MANIFEST_UNKNOWN' },
  'manifest.invalid': { code: 'MANIFEST_INVALID' },
  'manifest.blob-unknown': { code: 'MANIFEST_BLOB_UNKNOWN' },
  'tag.invalid': { code: 'TAG_INVALID' },
  'blob.unknown': { code: 'BLOB_UNKNOWN' },
  'digest.invalid': { code: 'DIGEST_INVALID' },
  'digest.mismatch': { code: 'DIGEST_INVALID' },
  'upload.unknown': { code: 'BLOB_UPLOAD_UNKNOWN' },
  'upload.out-of-order': { code: 'BLOB_UPLOAD_INVALID', status: 416 },
  'upload.busy': { code: 'TOOMANYREQUESTS', status: 429 },
  'auth.slowed': { code: 'TOOMANYREQUESTS', status: 429 },
  'request.too-large': { code: 'SIZE_INVALID' },
  'request.unsupported': { code: 'UNSUPPORTED', status: 405 },
  // What a host asks another registry for comes through here. A 401 would mean its own pass.
  'registry.refused': { code: 'MANIFEST_UNKNOWN' },
  'registry.login': { code: 'DENIED', status: 403 },
}

const codeOfStatus: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'NOT_FOUND',
  413: 'SIZE_INVALID',
  416: 'RANGE_INVALID',
  429: 'TOOMANYREQUESTS',
  503: 'UNAVAILABLE',
}

export interface ErrorAnswer {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** What a client is told about anything thrown. The cause of what it cannot help stays in the log. */
export function answerTo(error: unknown): ErrorAnswer {
  if (error instanceof Fault) {
    const { code, status = statusOfKind[error.kind] } = wordings[error.code] ?? {}
    return { status, code: code ?? codeOf(status), message: error.message }
  }
  const { statusCode, message } = error as Partial<FastifyError>
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, code: codeOf(statusCode), message: message ?? 'The request is not valid.' }
  }
  return { status: 500, code: 'UNKNOWN', message: 'An internal error occurred; the log of the server has the details.' }
}

function codeOf(status: number): string {
  return codeOfStatus[status] ?? (status < 500 ? 'UNSUPPORTED' : 'UNKNOWN')
}

/** Answers in the shape of the distribution spec. `challenge`: how to log in, told with every 401. */
export function registryErrors(challenge: (request: FastifyRequest, error: unknown) => string) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    // Nobody is there to be told, and nothing went wrong here.
    if (request.raw.destroyed && !request.raw.complete) {
      return sendErrors(reply, 400, 'BLOB_UPLOAD_INVALID', 'The client broke off.')
    }
    const { status, code, message } = answerTo(error)
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    if (status === 401) reply.header('www-authenticate', challenge(request, error))
    if (error instanceof Fault && error.code === 'auth.slowed') reply.header('retry-after', error.details['seconds'])
    return sendErrors(reply, status, code, message)
  }
}

export function sendErrors(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  const body = JSON.stringify({ errors: [{ code, message, detail: null }] })
  return reply.code(status).header('content-type', 'application/json').send(body)
}
