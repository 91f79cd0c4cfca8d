import { type IdentityService, whoseToken } from '@gantry/control'
import { noteUser } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { askerOf } from './asker.ts'
import { toLogIn, toScope } from './auth-request.ts'
import { flag, pathOf, siteOf } from './request.ts'
import { AuthBody } from './schemas.ts'
import * as wire from './translate.ts'

/** Logging in: the one call besides the version documents that needs no token. */
export function logInRoute(app: FastifyInstance, prefix: string, { tokens }: IdentityService): void {
  app.post<{ Body: AuthBody }>('/v3/auth/tokens', { schema: { body: AuthBody } }, async (request, reply) => {
    const { identity, scope } = request.body.auth
    const { token, info } = await tokens.issue(toLogIn(identity), toScope(scope), request.ip)
    noteUser(request, whoseToken(info))
    const catalog = withCatalog(request) ? await tokens.catalog() : null
    return reply
      .code(201)
      .header('X-Subject-Token', token)
      .send({ token: wire.toToken(info, catalog, siteOf(request, prefix)) })
  })
}

export function tokenRoutes(app: FastifyInstance, prefix: string, { tokens }: IdentityService): void {
  app.get('/auth/tokens', async (request, reply) => {
    const subject = subjectOf(request)
    const info = await tokens.check(askerOf(request), subject)
    const catalog = withCatalog(request) ? await tokens.catalog() : null
    return reply
      .header('X-Subject-Token', subject)
      .send({ token: wire.toToken(info, catalog, siteOf(request, prefix)) })
  })
  app.delete('/auth/tokens', async (request, reply) => {
    await tokens.revoke(askerOf(request), subjectOf(request))
    return reply.code(204).send()
  })
  app.get('/auth/catalog', async (request) => {
    const { token } = askerOf(request)
    if (token.scope.kind === 'unscoped') {
      throw new Fault('identity.refused', { reason: 'The catalog needs a token with a scope.' })
    }
    const site = siteOf(request, prefix)
    return wire.listOf(site, 'catalog', 'auth/catalog', wire.toCatalog(await tokens.catalog(), token, site))
  })
  app.get('/auth/projects', async (request) => {
    const site = siteOf(request, prefix)
    const projects = await tokens.projects(askerOf(request))
    return wire.listOf(
      site,
      'projects',
      pathOf(request, prefix),
      projects.map((project) => wire.toProject(project, site)),
    )
  })
  app.get('/auth/domains', async (request) => {
    const site = siteOf(request, prefix)
    const domains = await tokens.domains(askerOf(request))
    return wire.listOf(
      site,
      'domains',
      pathOf(request, prefix),
      domains.map((domain) => wire.toDomain(domain, site)),
    )
  })
  app.get('/auth/system', async (request) => {
    const system = await tokens.system(askerOf(request))
    return wire.listOf(siteOf(request, prefix), 'system', 'auth/system', system ? [{ all: true }] : [])
  })
}

function subjectOf(request: FastifyRequest): string {
  const subject = request.headers['x-subject-token']
  if (typeof subject === 'string' && subject !== '') return subject
  throw new Fault('request.invalid', { problem: 'The header X-Subject-Token is missing.' })
}

function withCatalog(request: FastifyRequest): boolean {
  return flag(request, 'nocatalog') !== true
}
