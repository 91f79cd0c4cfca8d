import type { Grant, GrantActor, GrantQuery, GrantTarget, IdentityService } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { askerOf } from './asker.ts'
import { flag, given, param, pathOf, query, siteOf } from './request.ts'
import * as wire from './translate.ts'

const targets = [
  ['project', '/projects/:target'],
  ['domain', '/domains/:target'],
  ['system', '/system'],
] as const
const actors = ['user', 'group'] as const

export function grantRoutes(app: FastifyInstance, prefix: string, { grants }: IdentityService): void {
  for (const [kind, path] of targets) {
    for (const actor of actors)
      actorRoutes(app, prefix, grants, { kind, actor, path: `${path}/${actor}s/:actor/roles` })
  }
  app.get('/role_assignments', async (request) => {
    const withNames = flag(request, 'include_names') === true
    const site = siteOf(request, prefix)
    const all = await grants.list(askerOf(request), toQuery(request))
    const items = all.map((grant) => wire.toAssignment(grant, withNames, site))
    return wire.listOf(site, 'role_assignments', pathOf(request, prefix), items)
  })
}

interface GrantPath {
  readonly kind: GrantTarget['kind']
  readonly actor: GrantActor['kind']
  readonly path: string
}

function actorRoutes(
  app: FastifyInstance,
  prefix: string,
  grants: IdentityService['grants'],
  { kind, actor, path }: GrantPath,
): void {
  const actorOf = (request: FastifyRequest): GrantActor => ({ kind: actor, id: param(request, 'actor') })
  const targetOf = (request: FastifyRequest): GrantTarget => ({
    kind,
    id: kind === 'system' ? 'all' : param(request, 'target'),
  })
  const grantOf = (request: FastifyRequest): Grant => ({
    actor: actorOf(request),
    target: targetOf(request),
    roleId: param(request, 'role'),
  })
  app.get(path, async (request) => {
    const site = siteOf(request, prefix)
    const roles = await grants.roles(askerOf(request), actorOf(request), targetOf(request))
    return wire.listOf(
      site,
      'roles',
      pathOf(request, prefix),
      roles.map((role) => wire.toRole(role, site)),
    )
  })
  app.put(`${path}/:role`, async (request, reply) => {
    await grants.add(askerOf(request), grantOf(request))
    return reply.code(204).send()
  })
  app.get(`${path}/:role`, async (request, reply) => {
    const grant = grantOf(request)
    if (await grants.has(askerOf(request), grant)) return reply.code(204).send()
    throw new Fault('identity.not-found', { type: 'role assignment with role', ref: grant.roleId })
  })
  app.delete(`${path}/:role`, async (request, reply) => {
    await grants.remove(askerOf(request), grantOf(request))
    return reply.code(204).send()
  })
}

function toQuery(request: FastifyRequest): GrantQuery {
  const [user, group] = [query(request, 'user.id'), query(request, 'group.id')]
  const [project, domain] = [query(request, 'scope.project.id'), query(request, 'scope.domain.id')]
  const system = query(request, 'scope.system')
  if (user !== undefined && group !== undefined) refuse('user.id and group.id')
  if ([project, domain, system].filter((scope) => scope !== undefined).length > 1) refuse('two scopes')
  const actors: (GrantActor | undefined)[] = [
    user === undefined ? undefined : { kind: 'user', id: user },
    group === undefined ? undefined : { kind: 'group', id: group },
  ]
  const targets: (GrantTarget | undefined)[] = [
    project === undefined ? undefined : { kind: 'project', id: project },
    domain === undefined ? undefined : { kind: 'domain', id: domain },
    system === undefined ? undefined : { kind: 'system', id: 'all' },
  ]
  return {
    ...given({
      actor: actors.find((actor) => actor !== undefined),
      target: targets.find((target) => target !== undefined),
      roleId: query(request, 'role.id'),
    }),
    effective: flag(request, 'effective') === true,
  }
}

function refuse(what: string): never {
  throw new Fault('request.invalid', { problem: `Role assignments cannot be filtered by ${what} at once.` })
}
