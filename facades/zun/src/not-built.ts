import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refOf } from './context.ts'
import { notImplemented, Refusal } from './errors.ts'

/** What Zun has and this service does not yet: nothing is in the collection, and what is looked up in it is not found. */
export function notBuiltRoutes(app: FastifyInstance): void {
  app.get('/registries', () => ({ registries: [], next: null }))
  app.post('/registries', () => {
    throw notImplemented('Keeping registry credentials', 'use images that need none')
  })
  for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
    app.route({ method, url: '/registries/:ref', handler: missing })
  }
}

function missing(request: FastifyRequest): never {
  throw new Refusal(404, 'registry-not-found', `Registry ${refOf(request)} could not be found.`)
}
