import type { Readable } from 'node:stream'
import { noteCaller, onUpgrade, requestId } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { RequestId } from '@gantry/model'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Asking, DockerContext, DockerOptions, Identity } from './context.ts'
import { dockerErrors } from './errors.ts'
import { findContainer } from './find-container.ts'
import { hijackRoute } from './hijack-route.ts'
import { allRoutes } from './routes/index.ts'
import { usualHeaders } from './usual-headers.ts'
import { versionOf, versionPrefix } from './versions.ts'

/**
 * The Docker Engine API, 1.24 to 1.44, for many tenants. Register it on a listener of its own, or with a prefix that
 * clients then name in their address (`tcp://host:9700/docker`).
 */
export async function dockerFacade(app: FastifyInstance, options: DockerOptions): Promise<void> {
  const docker = contextOf(options)
  app.setErrorHandler(dockerErrors)
  takeStreams(app)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(usualHeaders)
    versionOf(request)
    if (isOpen(request)) return
    const identity = await identityOf(options, request)
    identities.set(request, identity)
    noteCaller(request, identity.caller)
    if (!looksAfterItself(request)) cutWhenRevoked(options, identity, request, reply)
  })
  // Clients compare the type with this one, to the letter.
  app.addHook('onSend', async (_request, reply) => {
    if (String(reply.getHeader('content-type')).startsWith('application/json;')) {
      reply.header('content-type', 'application/json')
    }
  })
  app.setNotFoundHandler({ preHandler: async () => undefined }, (request) => {
    throw new Fault('request.no-route', { method: request.method, path: request.url.split('?', 1)[0] ?? '' })
  })
  for (const prefix of ['', versionPrefix]) {
    await app.register(async (scope) => allRoutes(scope, docker), { prefix })
  }
  onUpgrade(app, hijackRoute(app, docker))
}

const identities = new WeakMap<FastifyRequest, Identity>()

function contextOf(options: DockerOptions): DockerContext {
  const { control, clock, guard } = options
  const identityOfRequest = (request: FastifyRequest) => {
    const identity = identities.get(request)
    if (!identity) throw new Fault('auth.required', { reason: 'the request carries none' })
    return identity
  }
  return {
    control,
    clock,
    guard,
    callerOf: (request) => identityOfRequest(request).caller,
    identityOf: identityOfRequest,
    logInHere: (login, request) => options.logInHere(login, askingOf(request), requestId(request)),
    versionOf,
    find: (caller, ref) => findContainer(control, caller, ref),
    identify: async (request) => plain(await options.identify(request, `req-${options.ids.uuid()}` as RequestId)),
  }
}

async function identityOf({ identify }: DockerOptions, request: FastifyRequest): Promise<Identity> {
  return plain(await identify(askingOf(request), requestId(request)))
}

function askingOf({ headers, raw }: FastifyRequest): Asking {
  return { headers, socket: raw.socket, url: raw.url }
}

/** Everybody sees her own project, administrators too: a name must never lead to what is another's. */
function plain(identity: Identity): Identity {
  return { ...identity, caller: { ...identity.caller, isAdmin: false } }
}

/**
 * Whatever is under way, an answer that waits and a body that comes as well, ends with the credential it was asked with.
 * The connection is cut: what is read from may be asleep and hear of an end only when it has something to say.
 */
function cutWhenRevoked(
  { guard }: DockerOptions,
  identity: Identity,
  request: FastifyRequest,
  { raw }: FastifyReply,
): void {
  raw.once(
    'close',
    guard.watch(identity, () => request.raw.socket.destroy()),
  )
}

/** Answers of these leave HTTP, and are watched where that is done. */
function looksAfterItself({ routeOptions }: FastifyRequest): boolean {
  return /\/containers\/:id\/attach$|\/exec\/:id\/start$/.test(routeOptions.url ?? '')
}

/** Clients ask it before they know anything; an answer 401 would make them guess the version. */
function isOpen({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.endsWith('/_ping') === true
}

/** Only JSON is read here; everything else is a tar or somebody's stdin, and flows. */
function takeStreams(app: FastifyInstance): void {
  app.removeContentTypeParser(['application/octet-stream', 'text/plain'])
  app.addContentTypeParser('*', (_request, payload: Readable, done) => {
    // A client that breaks off may do so when whoever read the body has let go of it: nobody else would hear the error.
    payload.on('error', () => undefined)
    done(null, payload)
  })
}
