import { ApiError, csrfHeader, errorOf, queryOf } from './client.ts'

interface Upload {
  readonly query: Readonly<Record<string, string>>
  readonly body: Blob
  readonly signal: AbortSignal
  /** From 0 to 1. */
  readonly onProgress: (part: number) => void
}

/** Like `call` with PUT, and tells how far it is, which `fetch` cannot. Throws `ApiError`. */
export function upload(path: string, { query, body, signal, onProgress }: Upload): Promise<void> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest()
    sending.open('PUT', `${path}${queryOf(query)}`)
    const headers = { ...csrfHeader(), 'content-type': body.type }
    for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value)
    sending.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0))
    sending.addEventListener('load', () => {
      if (sending.status < 300) return resolve()
      const requestId = sending.getResponseHeader('x-openstack-request-id')
      const headers = requestId === null ? {} : { 'x-openstack-request-id': requestId }
      void errorOf(new Response(sending.responseText, { status: sending.status, headers })).then(reject)
    })
    sending.addEventListener('error', () => {
      const at = { status: 0, code: 'unreachable', retry: true, requestId: null }
      reject(new ApiError('The connection broke before all of it was sent.', at))
    })
    sending.addEventListener('abort', () => reject(new DOMException('It was cancelled.', 'AbortError')))
    signal.addEventListener('abort', () => sending.abort(), { once: true })
    sending.send(body)
  })
}
