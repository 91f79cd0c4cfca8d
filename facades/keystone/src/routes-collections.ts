import type { CatalogEndpoint, Collection, EndpointInterface, IdentityService } from '@gantry/control'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import { askerOf } from './asker.ts'
import { flag, given, param, pathOf, query, siteOf } from './request.ts'
import * as schemas from './schemas.ts'
import * as wire from './translate.ts'

const kinds: readonly EndpointInterface[] = ['public', 'internal', 'admin']

interface CollectionRoutes<T, New, Input> {
  readonly singular: string
  readonly plural: string
  readonly collection: Collection<T, New>
  readonly bodies: { readonly create: TSchema; readonly update: TSchema }
  readonly from: (input: Input) => Partial<New>
  readonly to: (entity: T, site: wire.Site) => Record<string, unknown>
  readonly filter: (request: FastifyRequest) => Partial<T>
}

/** Create, show, list, change and delete, which the Identity API spells alike for everything that is administered. */
export function collectionRoutes(app: FastifyInstance, prefix: string, identity: IdentityService): void {
  routes(app, prefix, {
    singular: 'domain',
    plural: 'domains',
    collection: identity.domains,
    bodies: schemas.DomainBodies,
    from: ({ name, description, enabled }: schemas.DomainInput) =>
      given({ name, description: text(description), enabled }),
    to: wire.toDomain,
    filter: (request) => given({ name: query(request, 'name'), enabled: flag(request, 'enabled') }),
  })
  routes(app, prefix, {
    singular: 'project',
    plural: 'projects',
    collection: identity.projects,
    bodies: schemas.ProjectBodies,
    from: ({ name, description, enabled, domain_id, parent_id, tags }: schemas.ProjectInput) =>
      given({
        name,
        description: text(description),
        enabled,
        domainId: domain_id ?? undefined,
        parentId: parent_id ?? undefined,
        tags,
      }),
    to: wire.toProject,
    filter: (request) =>
      given({
        name: query(request, 'name'),
        domainId: query(request, 'domain_id'),
        parentId: query(request, 'parent_id'),
        enabled: flag(request, 'enabled'),
      }),
  })
  routes(app, prefix, {
    singular: 'user',
    plural: 'users',
    collection: identity.users,
    bodies: schemas.UserBodies,
    from: ({ name, description, enabled, domain_id, default_project_id, email, password }: schemas.UserInput) =>
      given({
        name,
        description: text(description),
        enabled,
        domainId: domain_id ?? undefined,
        defaultProjectId: default_project_id,
        email,
        password: password ?? undefined,
      }),
    to: wire.toUser,
    filter: (request) =>
      given({
        name: query(request, 'name'),
        domainId: query(request, 'domain_id'),
        enabled: flag(request, 'enabled'),
      }),
  })
  routes(app, prefix, {
    singular: 'group',
    plural: 'groups',
    collection: identity.groups,
    bodies: schemas.GroupBodies,
    from: ({ name, description, domain_id }: schemas.GroupInput) =>
      given({ name, description: text(description), domainId: domain_id ?? undefined }),
    to: wire.toGroup,
    filter: (request) => given({ name: query(request, 'name'), domainId: query(request, 'domain_id') }),
  })
  routes(app, prefix, {
    singular: 'role',
    plural: 'roles',
    collection: identity.roles,
    bodies: schemas.RoleBodies,
    from: ({ name, description }: schemas.RoleInput) => given({ name, description }),
    to: wire.toRole,
    filter: (request) => given({ name: query(request, 'name') }),
  })
  catalogRoutes(app, prefix, identity)
}

function catalogRoutes(app: FastifyInstance, prefix: string, identity: IdentityService): void {
  routes(app, prefix, {
    singular: 'region',
    plural: 'regions',
    collection: identity.regions,
    bodies: schemas.RegionBodies,
    from: ({ id, description, parent_region_id }: schemas.RegionInput) =>
      given({ id: id ?? undefined, description: text(description), parentRegionId: parent_region_id }),
    to: wire.toRegion,
    filter: (request) => given({ parentRegionId: query(request, 'parent_region_id') }),
  })
  routes(app, prefix, {
    singular: 'service',
    plural: 'services',
    collection: identity.services,
    bodies: schemas.ServiceBodies,
    from: ({ type, name, description, enabled }: schemas.ServiceInput) =>
      given({ type, name: text(name), description: text(description), enabled }),
    to: wire.toService,
    filter: (request) => given({ name: query(request, 'name'), type: query(request, 'type') }),
  })
  routes(app, prefix, {
    singular: 'endpoint',
    plural: 'endpoints',
    collection: identity.endpoints,
    bodies: schemas.EndpointBodies,
    from: ({ service_id, region_id, region, interface: kind, url, enabled }: schemas.EndpointInput) =>
      given({ serviceId: service_id, regionId: region_id ?? region, interface: kind, url, enabled }),
    to: wire.toEndpoint,
    filter: (request): Partial<CatalogEndpoint> => {
      const kind = query(request, 'interface')
      const known = kinds.find((known) => known === kind)
      return given({
        serviceId: query(request, 'service_id'),
        regionId: query(request, 'region_id') ?? query(request, 'region'),
        interface: known,
      })
    },
  })
}

function routes<T, New, Input>(app: FastifyInstance, prefix: string, sketch: CollectionRoutes<T, New, Input>): void {
  const { singular, plural, collection, bodies, from, to, filter } = sketch
  const site = (request: FastifyRequest) => siteOf(request, prefix)
  const inputOf = (request: FastifyRequest) => from((request.body as Record<string, Input>)[singular] as Input)

  app.get(`/${plural}`, async (request) => {
    const all = await collection.list(askerOf(request), filter(request))
    const items = all.map((entity) => to(entity, site(request)))
    return wire.listOf(site(request), plural, pathOf(request, prefix), items)
  })
  app.post(`/${plural}`, { schema: { body: bodies.create } }, async (request, reply) => {
    // The schema has seen to it that nothing required is missing.
    const entity = await collection.create(askerOf(request), inputOf(request) as New)
    return reply.code(201).send({ [singular]: to(entity, site(request)) })
  })
  app.get(`/${plural}/:id`, async (request) => {
    const entity = await collection.get(askerOf(request), param(request, 'id'))
    return { [singular]: to(entity, site(request)) }
  })
  app.patch(`/${plural}/:id`, { schema: { body: bodies.update } }, async (request) => {
    const entity = await collection.update(askerOf(request), param(request, 'id'), inputOf(request))
    return { [singular]: to(entity, site(request)) }
  })
  app.delete(`/${plural}/:id`, async (request, reply) => {
    await collection.remove(askerOf(request), param(request, 'id'))
    return reply.code(204).send()
  })
}

/** null empties a text. */
function text(value: string | null | undefined): string | undefined {
  return value === null ? '' : value
}
