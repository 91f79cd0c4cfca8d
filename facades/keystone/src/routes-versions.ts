import { baseUrl } from '@gantry/http'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The version documents, from which clients learn where v3 is; they need no token. */
export function versionRoutes(app: FastifyInstance, prefix: string): void {
  const version = (request: FastifyRequest) => ({
    // The API of Keystone's 2020.1 release: the newest whose calls are all either served or refused by name.
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${baseUrl(request)}${prefix}/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  })
  app.get('/', async (request, reply) => reply.code(300).send({ versions: { values: [version(request)] } }))
  app.get('/v3', async (request) => ({ version: version(request) }))
}
