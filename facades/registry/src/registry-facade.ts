import { isGranted, type RegistryLogins, type RegistryVerbs, type RegistryVisitor, requireGrant } from '@gantry/control'
import { noteCaller, requestId, tokenOf, whenClosed } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from './challenge.ts'
import { distributionRoutes } from './distribution.ts'
import { registryErrors } from './errors.ts'
import { sendPage } from './pages.ts'
import { searchRoutes } from './search-routes.ts'
import { tokenRoutes } from './token-routes.ts'

export interface RegistryOptions {
  readonly registry: RegistryVerbs
  readonly logins: RegistryLogins
  readonly guard: {
    /** Calls `end` when what the request was asked with is revoked. Call the answer when it is over. */
    watch(visitor: RegistryVisitor, end: () => void): () => void
  }
}

/** The registry as tenants see it, at `/v2`, and its search, at `/v1`. Register it without a prefix: clients know no other paths. */
export async function registryFacade(app: FastifyInstance, options: RegistryOptions): Promise<void> {
  await app.register(async (v1) => searchRoutes(v1, options), { prefix: '/v1' })
  await app.register(async (v2) => tenantRoutes(v2, options), { prefix: '/v2' })
}

function tenantRoutes(app: FastifyInstance, { registry, logins, guard }: RegistryOptions): void {
  const visitors = new WeakMap<FastifyRequest, RegistryVisitor>()
  app.setErrorHandler(registryErrors(bearerChallenge))
  distributionRoutes(app, async (request, reply) => {
    const token = tokenOf(request)
    if (token === undefined) throw new Fault('auth.required', { reason: 'log in with docker login' })
    const visitor = await logins.identify(token, requestId(request))
    const { caller, access } = visitor
    visitors.set(request, visitor)
    noteCaller(request, caller)
    cutWhenRevoked(guard, visitor, request, reply)
    return {
      repository(name, action) {
        requireGrant(access, 'repository', name, action)
        return registry.repository(caller, name)
      },
      mayTakeFrom: (name) => (name === null ? access === null : isGranted(access, 'repository', name, 'pull')),
    }
  })
  tokenRoutes(app, logins)

  app.get('/_catalog', async (request, reply) => {
    const visitor = visitors.get(request)
    if (!visitor) throw new Fault('auth.required', { reason: 'the request carries none' })
    requireGrant(visitor.access, 'registry', 'catalog', '*')
    const list = (page: Parameters<RegistryVerbs['repositories']>[1]) => registry.repositories(visitor.caller, page)
    return sendPage(request, reply, { key: 'repositories', list })
  })
}

/** Whatever is under way ends with the token it was asked with: a blob may take hours, and a client that is slow may be asleep. */
function cutWhenRevoked(
  guard: RegistryOptions['guard'],
  visitor: RegistryVisitor,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  whenClosed(
    reply,
    guard.watch(visitor, () => request.raw.socket.destroy()),
  )
}
