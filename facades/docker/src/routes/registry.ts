import { parseImageName, registryOf } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { canonicalBody } from '../canonical-body.ts'
import type { DockerContext } from '../context.ts'
import { filtersOf, isTrue, matchesAny } from '../filters.ts'
import { type Query, textIn } from '../image-query.ts'
import { loginIn, loginOf, registryAt } from '../registry-logins.ts'

interface Asked {
  readonly Params: { readonly '*': string }
  readonly Querystring: Query
}

const mostFound = 100
const usualFound = 25

/** What is asked of registries, but for pulls and pushes. */
export function registryRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { engineImages } = docker.control
  app.post('/auth', async (request) => {
    const fields = canonicalBody(request.body, ['username', 'password', 'email', 'serveraddress', 'identitytoken'])
    const { serveraddress } = fields
    const domain = registryAt(typeof serveraddress === 'string' ? serveraddress : '')
    const login = loginIn(fields, domain)
    if (login && (await docker.logInHere(login, request))) return { Status: 'Login Succeeded', IdentityToken: '' }
    const { status, token } = await engineImages.registryLogin(docker.callerOf(request), login)
    return { Status: status, IdentityToken: token }
  })
  app.get<Asked>('/images/search', async (request) => {
    const { query } = request
    const filters = filtersOf(textIn(query, 'filters'), ['is-official', 'is-automated', 'stars'])
    const limit = Math.min(Math.max(1, Number(textIn(query, 'limit')) || usualFound), mostFound)
    const found = await engineImages.search(docker.callerOf(request), textIn(query, 'term'), limit)
    return found
      .filter(
        ({ official, automated, stars }) =>
          matchesAny(filters, 'is-official', (value) => isTrue(value) === official) &&
          matchesAny(filters, 'is-automated', (value) => isTrue(value) === automated) &&
          matchesAny(filters, 'stars', (value) => stars >= Number(value)),
      )
      .map(({ name, description, official, automated, stars }) => ({
        name,
        description,
        is_official: official,
        is_automated: automated,
        star_count: stars,
      }))
  })
  app.get<Asked>('/distribution/*', async (request) => {
    const name = request.params['*'].replace(/\/json$/, '')
    const login = loginOf(request.headers['x-registry-auth'], registryOf(parseImageName(name).repo))
    return engineImages.distribution(docker.callerOf(request), name, login)
  })
}
