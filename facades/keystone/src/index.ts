import type { IdentityService } from '@gantry/control'
import type { FastifyPluginAsync } from 'fastify'
import { requireToken } from './asker.ts'
import { handleErrors } from './errors.ts'
import { collectionRoutes } from './routes-collections.ts'
import { grantRoutes } from './routes-grants.ts'
import { logInRoute, tokenRoutes } from './routes-tokens.ts'
import { userRoutes } from './routes-users.ts'
import { versionRoutes } from './routes-versions.ts'
import { Params, Query } from './schemas.ts'

export interface KeystoneOptions {
  readonly identity: IdentityService
}

/** Keystone's own limit on a body, in bytes. */
const bodyLimit = 114_688

/** The Identity API v3, to be registered with a prefix (`/identity`) on an app of `createHttpApp`. */
export const keystone: FastifyPluginAsync<KeystoneOptions> = async (app, { identity }) => {
  const { prefix } = app
  app.addHook('onRoute', (route) => {
    route.bodyLimit = bodyLimit
    route.schema = { params: Params, querystring: Query, ...route.schema }
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('Vary', 'X-Auth-Token').header('x-openstack-request-id', request.id)
  })
  handleErrors(app, prefix)
  versionRoutes(app, prefix)
  logInRoute(app, prefix, identity)
  await app.register(
    async (authenticated) => {
      requireToken(authenticated, identity)
      tokenRoutes(authenticated, prefix, identity)
      collectionRoutes(authenticated, prefix, identity)
      grantRoutes(authenticated, prefix, identity)
      userRoutes(authenticated, prefix, identity)
    },
    { prefix: '/v3' },
  )
}
