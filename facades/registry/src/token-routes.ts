import type { IssuedRegistryToken, RegistryGrant, BasicLogin, RegistryLogins } from '@gantry/control'
import { requestId } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseBasic } from './basic.ts'
import { gather } from './bodies.ts'
import { parseScopes } from './scopes.ts'

const largestForm = 64 << 10

/** Where clients get tokens: GET with Basic, and POST as OAuth2 has it (distribution spec, "Token Authentication"). */
export function tokenRoutes(app: FastifyInstance, logins: RegistryLogins): void {
  const give = async (request: FastifyRequest, login: BasicLogin, wanted: readonly RegistryGrant[]) => {
    const asking = { requestId: requestId(request), address: request.ip }
    return logins.logIn(login, wanted, asking)
  }

  app.get('/token', { config: { open: true } }, async (request, reply) => {
    const login = parseBasic(request.headers.authorization)
    if (!login) throw new Fault('auth.required', { reason: 'log in with docker login' })
    const query = new URLSearchParams(request.url.split('?', 2)[1] ?? '')
    const issued = await give(request, login, parseScopes(query.getAll('scope')))
    return reply.header('cache-control', 'no-store').send({ token: issued.token, ...answerOf(issued) })
  })

  app.post('/token', { config: { open: true } }, async (request, reply) => {
    const form = new URLSearchParams((await gather(request, largestForm)).toString())
    const issued = await give(request, loginOf(form), parseScopes(form.getAll('scope')))
    const scope = issued.granted.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ')
    return reply.header('cache-control', 'no-store').send({ ...answerOf(issued), token_type: 'Bearer', scope })
  })
}

function answerOf({ token, issuedAt, expiresAt }: IssuedRegistryToken) {
  return {
    access_token: token,
    expires_in: Math.max(1, Math.floor((expiresAt - issuedAt) / 1000)),
    issued_at: new Date(issuedAt).toISOString(),
  }
}

/** What Docker keeps as an identity token is a token of Keystone's. */
function loginOf(form: URLSearchParams): BasicLogin {
  const wanted = (name: string): string => {
    const value = form.get(name)
    if (value !== null && value !== '') return value
    throw new Fault('request.invalid', { problem: `The form lacks ${name}.` })
  }
  const grant = wanted('grant_type')
  switch (grant) {
    case 'password':
      return { username: wanted('username'), password: wanted('password') }
    case 'refresh_token':
      return { username: 'token', password: wanted('refresh_token') }
    default:
      throw new Fault('request.invalid', { problem: 'grant_type must be password or refresh_token.' })
  }
}
