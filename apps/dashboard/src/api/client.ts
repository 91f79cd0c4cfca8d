/** What a façade says when it refuses: its sentence is written for a person. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  /** The same call may succeed later. */
  readonly retry: boolean
  readonly requestId: string | null
  /** Of the body: a JSON pointer. */
  readonly field: string | null

  constructor(
    message: string,
    at: Pick<ApiError, 'status' | 'code' | 'retry' | 'requestId'> & { field?: string | null },
  ) {
    super(message)
    this.status = at.status
    this.code = at.code
    this.retry = at.retry
    this.requestId = at.requestId
    this.field = at.field ?? null
  }
}

/** The session's token against forgery; in memory only. */
let csrf = ''
export function keepCsrf(token: string): void {
  csrf = token
}

/** What each request that changes something must show. */
export function csrfHeader(): Readonly<Record<string, string>> {
  return { 'x-csrf-token': csrf }
}

const ended = new Set<() => void>()
/** Calls `listener` when the server no longer knows who asks, until the answer is called. */
export function onSignedOut(listener: () => void): () => void {
  ended.add(listener)
  return () => ended.delete(listener)
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON, unless it is a Blob. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** The JSON of an answer; undefined where there is none. Throws `ApiError`. */
export async function call<T>(path: string, options: Call = {}): Promise<T> {
  const answer = await request(path, options)
  const text = await answer.text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** The answer itself, for bodies that flow. Throws `ApiError`. */
export async function request(
  path: string,
  { method = 'GET', query, body, headers, signal }: Call = {},
): Promise<Response> {
  const isJson = body !== undefined && !(body instanceof Blob)
  const answer = await fetch(`${path}${queryOf(query)}`, {
    method,
    credentials: 'same-origin',
    headers: {
      ...(method !== 'GET' && csrfHeader()),
      ...(isJson && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: body instanceof Blob ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    const at = { status: 0, code: 'unreachable', retry: true, requestId: null }
    throw new ApiError('The server cannot be reached. The page goes on by itself once it answers again.', at)
  })
  if (answer.ok) return answer
  if (answer.status === 401 && path !== '/ui/session') for (const listener of ended) listener()
  throw await errorOf(answer)
}

export function queryOf(query: Call['query'] = {}): string {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

interface NativeError {
  readonly error?: {
    readonly code?: unknown
    readonly message?: unknown
    readonly retry?: unknown
    readonly field?: unknown
    readonly title?: string
  }
  /** The Zun façade's. */
  readonly errors?: readonly { readonly detail?: string; readonly title?: string }[]
}

/** What a façade says when it refuses. */
export async function errorOf(answer: Response): Promise<ApiError> {
  const body = (await answer.json().catch(() => ({}))) as NativeError
  const { error, errors } = body
  const said = typeof error?.message === 'string' ? error.message : (errors?.[0]?.detail ?? errors?.[0]?.title)
  const message = said ?? `The server answered ${answer.status}.`
  return new ApiError(message, {
    status: answer.status,
    code: typeof error?.code === 'string' ? error.code : '',
    retry: error?.retry === true || answer.status === 429 || answer.status === 503,
    field: typeof error?.field === 'string' ? error.field : null,
    requestId: answer.headers.get('x-openstack-request-id'),
  })
}
