import type { Method } from './call.ts'

/**
 * `answer`: the service said no. `unreachable`: no answer came, or none in time. `unreadable`: an answer that is not what the API
 * promises. `unfit`: the cloud has no such service, or not in a version that is known here; nothing was sent.
 */
export type Failure = 'answer' | 'unreachable' | 'unreadable' | 'unfit'

export interface ErrorParts {
  readonly failure: Failure
  readonly service: string
  readonly method?: Method
  /** Without its query. */
  readonly path?: string
  readonly status?: number
  /** What was said, in the service's own words. */
  readonly reason: string
  /** The service's name for what is wrong (`OverQuota`, `itemNotFound`), if it has one. */
  readonly code?: string | null
  /** The service's id of the request, for its operator. */
  readonly answeredId?: string | null
  /** The one that was sent. */
  readonly requestId?: string
}

/** The one error of this package; a caller's own abort is thrown as it is. Holds no body, header or token. */
export class OpenStackError extends Error {
  override readonly name = 'OpenStackError'
  readonly failure: Failure
  readonly service: string
  readonly method: Method | null
  readonly path: string | null
  readonly status: number | null
  readonly reason: string
  readonly code: string | null
  readonly answeredId: string | null
  readonly requestId: string | null

  constructor(parts: ErrorParts) {
    super(textOf(parts))
    this.failure = parts.failure
    this.service = parts.service
    this.method = parts.method ?? null
    this.path = parts.path ?? null
    this.status = parts.status ?? null
    this.reason = parts.reason
    this.code = parts.code ?? null
    this.answeredId = parts.answeredId ?? null
    this.requestId = parts.requestId ?? null
  }
}

export function isOpenStackError(error: unknown, status?: number): error is OpenStackError {
  return error instanceof OpenStackError && (status === undefined || error.status === status)
}

function textOf({ service, method, path, status, reason, answeredId, requestId }: ErrorParts): string {
  const call = method === undefined ? '' : ` ${method} ${path ?? ''}`
  const said = status === undefined ? '' : ` answered ${status}`
  const id = answeredId ?? requestId
  return `${service}${call}${said}: ${reason}${id ? ` (${id})` : ''}`
}
