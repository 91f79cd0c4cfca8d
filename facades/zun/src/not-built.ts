import { callerOf } from '@gantry/http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refOf, type Zun } from './context.ts'
import { notImplemented, Refusal } from './errors.ts'
import { minorOf } from './microversion.ts'
import { toNetworks } from './translate.ts'

/**
 * What Zun has and this service does not yet. A container is looked up first, so that another project's answers 404 here
 * as everywhere; collections that can hold nothing yet are empty, and what is looked up in them is not found.
 */
export function notBuiltRoutes(app: FastifyInstance, zun: Zun): void {
  const { containers } = zun.control
  const look = (request: FastifyRequest) => containers.get(callerOf(request), refOf(request))

  app.get('/containers/:ref/network_list', { config: { zun: { since: 13 } } }, async (request) => {
    const container = await look(request)
    return { networks: toNetworks(container.observed.engine, minorOf(request)) }
  })

  const refused = [
    ['network_attach', { since: 8 }, 'Attaching a container to another network'],
    ['network_detach', { since: 6 }, 'Detaching a container from a network'],
    ['add_security_group', { until: 14 }, 'Choosing security groups'],
    ['remove_security_group', { until: 14 }, 'Choosing security groups'],
  ] as const
  for (const [verb, range, what] of refused) {
    app.post(`/containers/:ref/${verb}`, { config: { zun: range } }, async (request) => {
      await look(request)
      throw notImplemented(what, 'the container keeps the network it was created with')
    })
  }

  app.post('/networks', () => {
    throw notImplemented('Registering networks', 'containers use the network of their host')
  })
  app.delete('/networks/:ref', { config: { zun: { since: 27 } } }, (request) => {
    throw missing('network', refOf(request))
  })

  app.get('/capsules', () => ({ capsules: [], next: null }))
  app.post('/capsules', () => {
    throw notImplemented('Creating capsules', 'create the containers one by one')
  })
  for (const method of ['GET', 'DELETE'] as const) {
    app.route({ method, url: '/capsules/:ref', handler: (request) => refuse(missing('container', refOf(request))) })
  }

  app.get('/registries', () => ({ registries: [], next: null }))
  app.post('/registries', () => {
    throw notImplemented('Keeping registry credentials', 'use images that need none')
  })
  for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
    app.route({ method, url: '/registries/:ref', handler: (request) => refuse(missing('registry', refOf(request))) })
  }
}

function refuse(refusal: Refusal): never {
  throw refusal
}

function missing(kind: 'network' | 'container' | 'registry', ref: string): Refusal {
  const what = kind === 'container' ? 'Capsule' : kind === 'network' ? 'Network' : 'Registry'
  return new Refusal(404, `${kind}-not-found`, `${what} ${ref} could not be found.`)
}
