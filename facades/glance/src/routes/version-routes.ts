import { baseUrl } from '@gantry/http'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** 2.7: checksums by an algorithm of the service's choice, and hidden images. What came later is not served. */
const newest = 7

/** From which clients learn what is served; no token is needed. */
export function versionRoutes(app: FastifyInstance, prefix: string): void {
  const versions = (request: FastifyRequest) => ({
    versions: Array.from({ length: newest + 1 }, (_, minor) => ({
      id: `v2.${newest - minor}`,
      status: minor === 0 ? 'CURRENT' : 'SUPPORTED',
      links: [{ rel: 'self', href: `${baseUrl(request)}${prefix}/v2/` }],
    })),
  })
  app.get('/', async (request, reply) => reply.code(300).send(versions(request)))
  app.get('/versions', async (request) => versions(request))
}
