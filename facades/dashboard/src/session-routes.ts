import { setTimeout as wait } from 'node:timers/promises'
import { type Asker, type IdentityProvider, type LogIn, type WantedScope, whoseToken } from '@gantry/control'
import { noteUser, requestId } from '@gantry/http'
import { Fault, type Ids } from '@gantry/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { mustShowCsrf } from './cookie-for-token.ts'
import { SignIn, type SessionView, type SignedOutView, SwitchProject } from './schemas.ts'
import type { Session, SessionCookies } from './session-cookie.ts'

export interface SessionParts {
  readonly identity: IdentityProvider
  readonly cookies: SessionCookies
  readonly ids: Ids
  readonly ownIdentity: boolean
  readonly version: string
}

/** `/ui/session`: sign in (POST), who is signed in (GET), another project (PUT), sign out (DELETE). */
export function sessionRoutes(app: FastifyInstance, parts: SessionParts): void {
  const { cookies, ids } = parts
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
  app.post<{ Body: SignIn }>('/session', { schema: { body: SignIn } }, async (request, reply) => {
    mustBeOwnPage(request)
    const token = await signedIn(parts.identity, request.body, request.ip)
    const csrf = ids.hex(24)
    return keep(parts, request, reply, { token, csrf })
  })
  app.get('/session', async (request) => {
    const session = sessionOf(cookies, request)
    return viewOf(parts, await parts.identity.authenticate(session.token, requestId(request)), session.csrf)
  })
  app.put<{ Body: { project: string } }>('/session', { schema: { body: SwitchProject } }, async (request, reply) => {
    const session = sessionOf(cookies, request)
    mustShowCsrf(request, session.csrf)
    const scope = { kind: 'project', project: { id: request.body.project } } as const
    const logIn = { method: 'token', token: session.token } as const
    const { token } = await parts.identity.tokens.issue(logIn, scope, request.ip)
    return keep(parts, request, reply, { token, csrf: session.csrf })
  })
  app.delete('/session', async (request, reply) => {
    const session = cookies.read(request)
    if (session) mustShowCsrf(request, session.csrf)
    cookies.clear(reply)
    const left = session && (await revoked(parts.identity, session, request))
    return left ? reply.send(left) : reply.code(204).send()
  })
}

/** Nobody waits longer to be signed out. Milliseconds. */
const farewellMs = 5_000

/** Ends the session's token. null: it is dead; else what to tell whoever is signed out all the same. */
async function revoked(
  { authenticate, tokens }: IdentityProvider,
  { token, expiresAt }: Session,
  request: FastifyRequest,
): Promise<SignedOutView | null> {
  const revoking = async () => {
    const asker = await authenticate(token, requestId(request))
    noteUser(request, whoseToken(asker.token))
    await tokens.revoke(asker, token)
  }
  const late = wait(farewellMs, undefined, { ref: false }).then(() => {
    throw new Fault('service.unavailable', { service: 'identity', reason: 'it has not answered yet' })
  })
  try {
    await Promise.race([revoking(), late])
    return null
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (error.code === 'auth.required' || error.code === 'identity.not-found') return null
    const until = new Date(expiresAt).toISOString()
    return {
      revoked: false,
      message: `The session’s token could not be revoked and ends at ${until}. ${error.message}`,
    }
  }
}

async function keep(
  parts: SessionParts,
  request: FastifyRequest,
  reply: FastifyReply,
  made: Omit<Session, 'expiresAt'>,
) {
  const asker = await parts.identity.authenticate(made.token, requestId(request))
  // Who asked had no session yet; the audit is to say whose it is now.
  noteUser(request, whoseToken(asker.token))
  parts.cookies.write(reply, { ...made, expiresAt: asker.token.expiresAt })
  return viewOf(parts, asker, made.csrf)
}

/** A token for the project that was named, else for the first that she may use. */
async function signedIn({ tokens, authenticate }: IdentityProvider, asked: SignIn, address: string): Promise<string> {
  const logIn = logInOf(asked)
  if (logIn.method === 'application_credential') return (await tokens.issue(logIn, { kind: 'default' }, address)).token
  const wanted = 'project' in asked && asked.project !== undefined && asked.project !== '' ? asked.project : null
  const { token } = await tokens.issue(logIn, { kind: 'unscoped' }, address)
  const asker = await authenticate(token, '' as Asker['requestId'])
  const projects = await tokens.projects(asker)
  const found = projects.find(({ id, name }) => wanted === null || id === wanted || name === wanted)
  if (!found) {
    const scope = wanted === null ? 'any project; ask an administrator for a role on one' : `the project ${wanted}`
    throw new Fault('auth.no-access', { user: asker.token.user.name, scope })
  }
  const scope: WantedScope = { kind: 'project', project: { id: found.id } }
  return (await tokens.issue({ method: 'token', token }, scope, address)).token
}

function logInOf(asked: SignIn): LogIn {
  if ('credential' in asked) {
    return { method: 'application_credential', credential: { id: asked.credential }, secret: asked.secret }
  }
  const { user: name, password, domain = '' } = asked
  return { method: 'password', user: { name, domain: domain === '' ? { id: 'default' } : { name: domain } }, password }
}

function sessionOf(cookies: SessionCookies, request: FastifyRequest): Session {
  const session = cookies.read(request)
  if (!session) throw new Fault('auth.required', { reason: 'nobody is signed in, or the session has ended' })
  return session
}

/** Another site must not sign its visitor in here as somebody else. */
function mustBeOwnPage({ headers }: FastifyRequest): void {
  const { origin, host } = headers
  if (origin === undefined || URL.parse(origin)?.host === host) return
  throw new Fault('policy.forbidden', { action: 'Signing in', reason: `the page is of ${origin}` })
}

async function viewOf(parts: SessionParts, asker: Asker, csrf: string): Promise<SessionView> {
  const { user, scope, roles, expiresAt } = asker.token
  if (scope.kind !== 'project') throw new Fault('auth.required', { reason: 'the session has no project' })
  const projects = await parts.identity.tokens.projects(asker)
  return {
    user: { id: user.id, name: user.name },
    project: { id: scope.project.id, name: scope.project.name },
    projects: projects.map(({ id, name }) => ({ id, name })),
    roles: roles.map(({ name }) => name),
    isAdmin: asker.isAdmin,
    expiresAt: new Date(expiresAt).toISOString(),
    csrf,
    ownIdentity: parts.ownIdentity,
    version: parts.version,
  }
}
