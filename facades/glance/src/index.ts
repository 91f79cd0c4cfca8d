import { authenticate, type Verifier } from '@gantry/http'
import type { FastifyInstance } from 'fastify'
import type { Images } from './context.ts'
import { glanceErrors, Refusal } from './errors.ts'
import { fileRoutes } from './routes/file-routes.ts'
import { imageRoutes } from './routes/image-routes.ts'
import { infoRoutes } from './routes/info-routes.ts'
import { memberRoutes } from './routes/member-routes.ts'
import { v1Routes } from './routes/v1-routes.ts'
import { versionRoutes } from './routes/version-routes.ts'

export interface GlanceOptions {
  /** Where it is registered, for its own addresses. */
  readonly prefix: string
  readonly images: Images
  readonly verifier: Verifier
}

/** Glance's Image API: version 2, and what the command line of version 1 needs to upload. */
export async function glanceFacade(app: FastifyInstance, { prefix, images, verifier }: GlanceOptions): Promise<void> {
  app.setErrorHandler(glanceErrors)
  app.setNotFoundHandler(() => {
    throw new Refusal(404, 'The resource could not be found.')
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-openstack-request-id', request.id)
  })
  versionRoutes(app, prefix)
  await app.register(
    async (v2) => {
      authenticate(v2, verifier)
      imageRoutes(v2, images)
      memberRoutes(v2, images)
      infoRoutes(v2)
      // Bodies are read in another way there.
      await v2.register(async (files) => fileRoutes(files, images))
    },
    { prefix: '/v2' },
  )
  await app.register(
    async (v1) => {
      authenticate(v1, verifier)
      v1Routes(v1, images)
    },
    { prefix: '/v1' },
  )
}
