import { Fault } from '@gantry/kernel'
import { tokenOf } from '@gantry/http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sameSecret, type SessionCookies } from './session-cookie.ts'

/** The façades that the page calls; everywhere else a cookie is nothing. */
const apis = /^\/(v1|container|identity\/v3|image)\//
const harmless = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Lets the signed-in page call the façades: its cookie stands for a token. For the root instance, before the façades. What changes
 * something must also show the session's `X-CSRF-Token`, which no other site can know; without it the cookie does not count and the
 * façade refuses in its own words.
 */
export function cookieForToken(app: FastifyInstance, cookies: SessionCookies): void {
  app.addHook('onRequest', async (request) => {
    if (!apis.test(request.url) || tokenOf(request) !== undefined) return
    const session = cookies.read(request)
    if (session && (harmless.has(request.method) || showsCsrf(request, session.csrf))) {
      request.headers['x-auth-token'] = session.token
    }
  })
}

/** Throws `auth.required` unless the request shows it. */
export function mustShowCsrf(request: FastifyRequest, csrf: string): void {
  if (!showsCsrf(request, csrf))
    throw new Fault('auth.required', { reason: 'the header X-CSRF-Token is not this session’s' })
}

function showsCsrf({ headers }: FastifyRequest, csrf: string): boolean {
  const shown = headers['x-csrf-token']
  return typeof shown === 'string' && sameSecret(shown, csrf)
}
