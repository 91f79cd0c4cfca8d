import type { IdentityService, NewAppCredential } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import { askerOf } from './asker.ts'
import { given, param, pathOf, query, siteOf } from './request.ts'
import { AppCredentialBody, PasswordChange } from './schemas.ts'
import * as wire from './translate.ts'

/** What hangs on one user: password, projects, groups, application credentials; and the other way, a group's users. */
export function userRoutes(app: FastifyInstance, prefix: string, identity: IdentityService): void {
  const { users, groups } = identity
  app.post<{ Body: PasswordChange }>(
    '/users/:user/password',
    { schema: { body: PasswordChange } },
    async (request, reply) => {
      const { original_password, password } = request.body.user
      await users.changePassword(askerOf(request), param(request, 'user'), original_password, password, request.ip)
      return reply.code(204).send()
    },
  )
  app.get('/users/:user/projects', async (request) => {
    const site = siteOf(request, prefix)
    const projects = await users.projects(askerOf(request), param(request, 'user'))
    return wire.listOf(
      site,
      'projects',
      pathOf(request, prefix),
      projects.map((project) => wire.toProject(project, site)),
    )
  })
  app.get('/users/:user/groups', async (request) => {
    const site = siteOf(request, prefix)
    const all = await users.groups(askerOf(request), param(request, 'user'))
    return wire.listOf(
      site,
      'groups',
      pathOf(request, prefix),
      all.map((group) => wire.toGroup(group, site)),
    )
  })
  app.get('/groups/:group/users', async (request) => {
    const site = siteOf(request, prefix)
    const members = await groups.members(askerOf(request), param(request, 'group'))
    return wire.listOf(
      site,
      'users',
      pathOf(request, prefix),
      members.map((user) => wire.toUser(user, site)),
    )
  })
  app.put('/groups/:group/users/:user', async (request, reply) => {
    await groups.addMember(askerOf(request), param(request, 'group'), param(request, 'user'))
    return reply.code(204).send()
  })
  app.get('/groups/:group/users/:user', async (request, reply) => {
    const [group, user] = [param(request, 'group'), param(request, 'user')]
    if (await groups.hasMember(askerOf(request), group, user)) return reply.code(204).send()
    throw new Fault('identity.not-found', { type: 'user in this group', ref: user })
  })
  app.delete('/groups/:group/users/:user', async (request, reply) => {
    await groups.removeMember(askerOf(request), param(request, 'group'), param(request, 'user'))
    return reply.code(204).send()
  })
  appCredentialRoutes(app, prefix, identity)
}

function appCredentialRoutes(app: FastifyInstance, prefix: string, { appCredentials }: IdentityService): void {
  const path = '/users/:user/application_credentials'
  app.post<{ Body: AppCredentialBody }>(path, { schema: { body: AppCredentialBody } }, async (request, reply) => {
    const input = toNewAppCredential(request.body.application_credential)
    const { credential, secret } = await appCredentials.create(askerOf(request), param(request, 'user'), input)
    const shown = wire.toAppCredential(credential, siteOf(request, prefix))
    return reply.code(201).send({ application_credential: { ...shown, secret } })
  })
  app.get(path, async (request) => {
    const site = siteOf(request, prefix)
    const filter = given({ name: query(request, 'name') })
    const all = await appCredentials.list(askerOf(request), param(request, 'user'), filter)
    const items = all.map((credential) => wire.toAppCredential(credential, site))
    return wire.listOf(site, 'application_credentials', pathOf(request, prefix), items)
  })
  app.get(`${path}/:id`, async (request) => {
    const credential = await appCredentials.get(askerOf(request), param(request, 'user'), param(request, 'id'))
    return { application_credential: wire.toAppCredential(credential, siteOf(request, prefix)) }
  })
  app.delete(`${path}/:id`, async (request, reply) => {
    await appCredentials.remove(askerOf(request), param(request, 'user'), param(request, 'id'))
    return reply.code(204).send()
  })
}

function toNewAppCredential(input: AppCredentialBody['application_credential']): NewAppCredential {
  // Ignoring them would hand out a credential that can do more than was asked for.
  if ((input.access_rules ?? []).length > 0) {
    throw new Fault('request.unsupported', { feature: 'access_rules', reason: 'credentials are limited by roles only' })
  }
  return {
    name: input.name,
    ...given({
      description: input.description ?? undefined,
      secret: input.secret ?? undefined,
      roles: input.roles?.map(toRoleRef),
      expiresAt: toEpochMs(input.expires_at ?? null),
      unrestricted: input.unrestricted ?? undefined,
    }),
  }
}

function toRoleRef({ id, name }: { id?: string; name?: string }): { id: string } | { name: string } {
  if (id !== undefined) return { id }
  if (name !== undefined) return { name }
  throw new Fault('request.invalid', { problem: 'A role needs an id or a name.' })
}

/** ISO 8601; without a zone it means UTC, as in Keystone. */
function toEpochMs(time: string | null): number | null {
  if (time === null) return null
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,3})?\d*(Z|[+-]\d\d:\d\d)?$/.exec(time)
  const epochMs = match ? Date.parse(`${match[1]}${match[2] ?? ''}${match[3] ?? 'Z'}`) : Number.NaN
  if (!Number.isNaN(epochMs)) return epochMs
  throw new Fault('request.invalid', { problem: 'expires_at is not a time like 2030-01-31T12:00:00Z.' })
}
