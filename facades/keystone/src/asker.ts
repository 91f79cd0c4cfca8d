import { type Asker, type IdentityService, whoseToken } from '@gantry/control'
import { noteUser, requestId } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance, FastifyRequest } from 'fastify'

const askers = new WeakMap<FastifyRequest, Asker>()

/** Every route of this plugin needs a valid token; unlike elsewhere, one without a project will do. */
export function requireToken(app: FastifyInstance, identity: IdentityService): void {
  app.addHook('onRequest', async (request) => {
    const token = request.headers['x-auth-token']
    if (typeof token !== 'string' || token === '') {
      throw new Fault('auth.required', { reason: 'the request carries none' })
    }
    const asker = await identity.authenticate(token, requestId(request))
    askers.set(request, asker)
    noteUser(request, whoseToken(asker.token))
  })
}

export function askerOf(request: FastifyRequest): Asker {
  const asker = askers.get(request)
  if (!asker) throw new Fault('auth.required', { reason: 'the request carries none' })
  return asker
}
