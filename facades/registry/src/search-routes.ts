import type { RegistryLogins, RegistryVerbs } from '@gantry/control'
import { requestId, tokenOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseBasic } from './basic.ts'
import { registryErrors } from './errors.ts'

const usualResults = 25
const mostResults = 100

export interface SearchParts {
  readonly registry: Pick<RegistryVerbs, 'search'>
  readonly logins: RegistryLogins
}

/** The one call of the registry's first protocol that is still in use: `docker search HOST/TERM`. Register it at `/v1`. */
export function searchRoutes(app: FastifyInstance, { registry, logins }: SearchParts): void {
  app.setErrorHandler(registryErrors(() => 'Basic realm="gantry"'))
  // A registry that says it stands alone is sent the login with every request.
  const alone = { 'x-docker-registry-version': '0.6.0', 'x-docker-registry-standalone': 'true' }
  app.get('/_ping', async (_request, reply) => reply.headers(alone).send(true))

  app.get('/search', async (request, reply) => {
    const { caller } = await visitorOf(request)
    const query = new URLSearchParams(request.url.split('?', 2)[1] ?? '')
    const term = query.get('q') ?? ''
    const found = await registry.search(caller, term, limitOf(query.get('n')))
    const results = found.map(({ name, isPublic, isOwn }) => ({
      name,
      description: isOwn ? 'of your project' : isPublic ? 'public' : 'shared with your project',
      is_official: false,
      is_automated: false,
      is_trusted: false,
      star_count: 0,
    }))
    const page = { num_pages: 1, page: 1, page_size: results.length, num_results: results.length }
    return reply.headers(alone).send({ query: term, ...page, results })
  })

  async function visitorOf(request: FastifyRequest) {
    const id = requestId(request)
    const token = tokenOf(request)
    if (token !== undefined) return logins.identify(token, id)
    const login = parseBasic(request.headers.authorization)
    if (!login) throw new Fault('auth.required', { reason: 'log in with docker login' })
    const issued = await logins.logIn(login, [], { requestId: id, address: request.ip })
    return logins.identify(issued.token, id)
  }
}

function limitOf(text: string | null): number {
  const wanted = Number(text ?? usualResults)
  return Number.isSafeInteger(wanted) && wanted > 0 ? Math.min(wanted, mostResults) : usualResults
}
