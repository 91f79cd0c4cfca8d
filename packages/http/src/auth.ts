import { Fault } from '@gantry/kernel'
import type { Caller, RequestId } from '@gantry/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { requestId } from './app.ts'

const callers = new WeakMap<FastifyRequest, Caller>()
const users = new WeakMap<FastifyRequest, WhoAsks>()

/** Who sent a request, as far as limits, logs and audit need to know. */
export interface WhoAsks {
  readonly userId: string
  readonly userName: string
  /** null: of a token without a project, which only the identity service takes. */
  readonly projectId: string | null
}

/** Mirrors control's `TokenVerifier` port, so that this package depends on no room above it. */
export interface Verifier {
  verify(token: string, requestId: RequestId, serviceToken?: string): Promise<Caller>
}

export interface AuthenticateOptions {
  /** Routes that answer without a token. */
  readonly open?: (request: FastifyRequest) => boolean
}

/** Every route of this plugin needs a valid `X-Auth-Token` (or `Authorization: Bearer`); throws `auth.required` if not. */
export function authenticate(app: FastifyInstance, verifier: Verifier, { open }: AuthenticateOptions = {}): void {
  app.addHook('onRequest', async (request) => {
    if (open?.(request)) return
    const token = tokenOf(request)
    if (token === undefined) throw new Fault('auth.required', { reason: 'the request carries none' })
    callers.set(request, await verifier.verify(token, requestId(request), headerOf(request, 'x-service-token')))
  })
}

/** The caller of an authenticated request. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (!caller) throw new Fault('auth.required', { reason: 'the request carries none' })
  return caller
}

/** For façades that find out by themselves who asks: from now on logs know. */
export function noteCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller)
}

/** The same where there may be no project, and so no caller. */
export function noteUser(request: FastifyRequest, user: WhoAsks): void {
  users.set(request, user)
}

/** Whoever sent the request, once it has been authenticated; for logs and limits. */
export function whoAsks(request: FastifyRequest): WhoAsks | undefined {
  return callers.get(request) ?? users.get(request)
}

/** What the request shows as its token, valid or not. */
export function tokenOf(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')
  return headerOf(request, 'x-auth-token') ?? bearer?.[1]
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const header = request.headers[name]
  return typeof header === 'string' && header !== '' ? header : undefined
}
