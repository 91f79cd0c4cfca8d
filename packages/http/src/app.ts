import { constants } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { RequestId } from '@gantry/model'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import { requestIdOf } from './request-id.ts'
import { serveUpgrades, Upgrades } from './upgrades.ts'
import { validatorCompiler } from './validator.ts'

export interface HttpOptions {
  readonly log: FastifyBaseLogger
  /** Largest body in bytes unless a route says otherwise. */
  readonly bodyLimit?: number
  /** PEM key and certificate chain; plain HTTP without. */
  readonly tls?: {
    readonly key: string | Buffer
    readonly cert: string | Buffer
    /** PEM of an authority: clients are asked for a certificate of it, and served without one too. */
    readonly clientCa?: string
  }
}

/**
 * The Fastify instance that all façades hang on. Façades are encapsulated plugins; each sets its own error handler and
 * decides which headers carry the request id back.
 */
export function createHttpApp({ log, bodyLimit = 1024 * 1024, tls }: HttpOptions): FastifyInstance {
  const upgrades = new Upgrades()
  // Headers that come byte by byte hold a connection for so long, and no longer.
  const own = {
    shouldUpgradeCallback: upgrades.wanted,
    headersTimeout: 20_000,
    connectionsCheckingInterval: 5_000,
    // Whose machine or line went without a word is found out by the kernel, also on a quiet stream.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  }
  const app: FastifyInstance = Fastify({
    ...(tls ? { https: { ...tlsOptions(tls), ...own } } : { http: own }),
    loggerInstance: log,
    // One line per request comes from `operations`; Fastify's own two would double it.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => requestIdOf(),
    bodyLimit,
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
    // A path no router can read (`%zz`, far too long) never reaches a façade; this shape is read by every OpenStack client.
    frameworkErrors: (error, _request, reply) => {
      const status = error.statusCode ?? 400
      reply.raw.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
      reply.raw.end(JSON.stringify(plainError(status, error.message)))
    },
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 512 },
  })
  serveUpgrades(app.server, upgrades)
  app.setValidatorCompiler(validatorCompiler)
  // Fastify's generated serialiser is slower than JSON.stringify on string maps (labels); schemas stay for the documents.
  app.setSerializerCompiler(() => JSON.stringify)
  acceptSloppyJson(app)
  return app
}

/** A client that ends its half of a hijacked connection still gets the rest of the answer, as over plain HTTP. */
function tlsOptions({ key, cert, clientCa }: NonNullable<HttpOptions['tls']>) {
  // A resumed session would not show its certificate again.
  const secureOptions = constants.SSL_OP_NO_TICKET
  const asked =
    clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false, secureOptions }
  return { key, cert, ...asked, minVersion: 'TLSv1.2' as const, allowHalfOpen: true, handshakeTimeout: 20_000 }
}

/** The answer of the whole server where no façade is; for the root instance, once. */
export function nothingElse(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]
    return reply
      .code(404)
      .send(plainError(404, `Nothing is served at ${path}; /openapi.json and /identity/v3 are good places to begin.`))
  })
}

function plainError(code: number, message: string) {
  return { error: { code, title: STATUS_CODES[code] ?? 'Error', message } }
}

/**
 * Clients of OpenStack send `Content-Type: application/json` with an empty body, and DELETE with an octet-stream type and
 * no body; both mean "no body". Malformed JSON is the client's mistake: 400 through the façade's error handler.
 */
function acceptSloppyJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'application/octet-stream', 'text/plain'],
    { parseAs: 'string' },
    (request, body, done) => {
      const text = String(body)
      if (text.trim() === '') return done(null, undefined)
      if (!String(request.headers['content-type']).startsWith('application/json')) return done(null, text)
      try {
        done(null, JSON.parse(text))
      } catch {
        done(Object.assign(new SyntaxError('The request body is not valid JSON.'), { statusCode: 400 }))
      }
    },
  )
}

/** The id that follows this request from façade to engine. */
export function requestId(request: FastifyRequest): RequestId {
  return request.id as RequestId
}

/** `http://host:port` as the client wrote it; trusts X-Forwarded-Proto only for the scheme word itself. */
export function baseUrl(request: FastifyRequest): string {
  const forwarded = request.headers['x-forwarded-proto']
  const scheme = forwarded === 'https' || forwarded === 'http' ? forwarded : request.protocol
  return `${scheme}://${request.headers.host ?? 'localhost'}`
}
