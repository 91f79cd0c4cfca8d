import type { FastifyInstance } from 'fastify'
import { imageSchema, memberSchema } from '../schemas.ts'
import { notServed } from './image-routes.ts'

/** What clients ask before they know how to ask. */
export function infoRoutes(app: FastifyInstance): void {
  app.get('/schemas/image', async () => imageSchema)
  app.get('/schemas/images', async () => listOf('images', imageSchema))
  app.get('/schemas/member', async () => memberSchema)
  app.get('/schemas/members', async () => listOf('members', memberSchema))
  app.get('/info/import', async () => ({
    'import-methods': { description: 'Import methods available.', type: 'array', value: [] },
  }))
  app.get('/info/stores', async () => ({ stores: [{ id: 'gantry', description: 'The catalogue', default: 'true' }] }))
  notServed(app, 'GET', '/tasks')
  notServed(app, 'POST', '/tasks')
  notServed(app, 'GET', '/tasks/:task')
  notServed(app, 'GET', '/images/:id/tasks')
}

function listOf(name: string, item: object): object {
  return {
    name,
    properties: {
      [name]: { items: item, type: 'array' },
      ...(name === 'images' && { first: { type: 'string' }, next: { type: 'string' } }),
      schema: { type: 'string' },
    },
    ...(name === 'images' && {
      links: [
        { href: '{first}', rel: 'first' },
        { href: '{next}', rel: 'next' },
        { href: '{schema}', rel: 'describedby' },
      ],
    }),
  }
}
