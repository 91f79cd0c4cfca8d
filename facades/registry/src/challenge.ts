import { baseUrl } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyRequest } from 'fastify'
import { actionOf, parsePath } from './paths.ts'

/** Where a client gets a token that this request would have needed (distribution spec, "Token Authentication"). */
export function bearerChallenge(request: FastifyRequest, error: unknown): string {
  const parts = [`realm="${quoted(`${baseUrl(request)}/v2/token`)}"`, `service="${quoted(serviceOf(request))}"`]
  const scope = scopeOf(request)
  if (scope !== null) parts.push(`scope="${quoted(scope)}"`)
  // Without a token the client has made no mistake yet.
  if (request.headers.authorization !== undefined) {
    parts.push(
      error instanceof Fault && error.code === 'auth.scope' ? 'error="insufficient_scope"' : 'error="invalid_token"',
    )
  }
  return `Bearer ${parts.join(',')}`
}

/** What clients call the registry: the name under which they reach it. */
export function serviceOf(request: FastifyRequest): string {
  return request.headers.host ?? 'gantry'
}

function scopeOf({ url, method }: FastifyRequest): string | null {
  const path = decoded(url.split('?', 1)[0] ?? '').replace(/^\/v2\/?/, '')
  if (path === '_catalog') return 'registry:catalog:*'
  const found = parsePath(path)
  if (!found) return null
  const action = actionOf(found.kind, method)
  return `repository:${found.name}:${action === 'push' ? 'pull,push' : (action ?? 'pull')}`
}

/** The router has decoded it once already, so it can be. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** A header must hold neither quotes nor line ends, whoever wrote them into an address. */
function quoted(text: string): string {
  return text.replaceAll(/[^\x21\x23-\x5b\x5d-\x7e ]/g, '')
}
