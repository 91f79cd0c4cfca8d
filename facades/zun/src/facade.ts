import type { Control } from '@gantry/control'
import { authenticate, type Verifier } from '@gantry/http'
import { type Clock, systemClock } from '@gantry/kernel'
import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import { actionLogRoutes } from './action-log.ts'
import { archiveUploadRoute } from './archive-upload.ts'
import { capsuleRoutes } from './capsules.ts'
import { consoleRoutes } from './console.ts'
import { containerActionRoutes } from './container-actions.ts'
import { containerNetworkRoutes, networkRoutes } from './container-networks.ts'
import { containerRoutes } from './containers.ts'
import type { Zun } from './context.ts'
import { errorHandler, spareZunclient, Refusal } from './errors.ts'
import { execAndFileRoutes } from './exec-and-files.ts'
import { hostRoutes } from './hosts.ts'
import { imageRoutes } from './images.ts'
import { announceMicroversion, checkMicroversion } from './microversion.ts'
import { quotaRoutes } from './quotas.ts'
import { registryRoutes } from './registries.ts'
import { mustAcceptJson, routingErrors } from './routing.ts'
import { serviceRoutes } from './services.ts'
import { versionRoutes } from './versions.ts'

export interface ZunOptions {
  readonly control: Control
  readonly verifier: Verifier
  readonly clock?: Clock
  /** Named in `WWW-Authenticate`; by default `/identity` at the address the client used. */
  readonly identityUrl?: string
  /** Origins of web pages, beside the service's own, that may open interactive sessions: `https://dashboard.example`. */
  readonly allowedOrigins?: readonly string[]
  /** Milliseconds between the pings of interactive sessions. */
  readonly pingMs?: number
}

/**
 * OpenStack's containers API (Zun v1, microversions 1.1–1.40). Register it with a prefix: the version document is at the
 * prefix itself, the API at `<prefix>/v1` and, as clients may leave the version out, at the prefix too.
 */
export const zunFacade: FastifyPluginCallback<ZunOptions> = (app, options, done) => {
  const { control, verifier, clock = systemClock, identityUrl, allowedOrigins = [], pingMs = 25_000 } = options
  const zun: Zun = { control, clock, prefix: app.prefix }
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-openstack-request-id', request.id)
    announceMicroversion(request, reply)
  })
  app.setErrorHandler(errorHandler({ identityUrl }))
  spareZunclient(app)
  routingErrors(app)
  refuseOtherBodies(app)
  versionRoutes(app, app.prefix)
  consoleRoutes(app, { consoles: control.consoles, allowedOrigins, pingMs })
  const api: FastifyPluginCallback = (scope, _none, done) => {
    authenticate(scope, verifier)
    mustAcceptJson(scope)
    checkMicroversion(scope)
    apiRoutes(scope, zun)
    done()
  }
  app.register(api, { prefix: '/v1' })
  app.register(api)
  done()
}

function apiRoutes(app: FastifyInstance, zun: Zun): void {
  containerRoutes(app, zun)
  containerActionRoutes(app, zun)
  containerNetworkRoutes(app, zun)
  execAndFileRoutes(app, zun)
  actionLogRoutes(app, zun)
  hostRoutes(app, zun)
  serviceRoutes(app, zun)
  imageRoutes(app, zun)
  quotaRoutes(app, zun)
  capsuleRoutes(app, zun)
  networkRoutes(app, zun)
  registryRoutes(app, zun)
  app.register((scope, _none, done) => {
    archiveUploadRoute(scope, zun)
    done()
  })
}

/** Any type is well if there is no body behind it; JSON is parsed by the parsers the app brings. */
function refuseOtherBodies(app: FastifyInstance): void {
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (String(body).trim() === '') return done(null, undefined)
    done(new Refusal(415, '', 'The request body must be JSON (Content-Type: application/json).'))
  })
}
