import type {
  CatalogEndpoint,
  CatalogEntry,
  CatalogService,
  Domain,
  Group,
  NamedAppCredential,
  NamedGrant,
  Project,
  Region,
  Role,
  TokenInfo,
  User,
} from '@gantry/control'

/** Where links and endpoints point: what the client itself called. */
export interface Site {
  /** `http://host:port`. */
  readonly base: string
  /** `http://host:port/identity/v3`. */
  readonly api: string
}

type Wire = Record<string, unknown>

/** With microseconds, as Keystone writes times. */
function toTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z')
}

export function listOf(site: Site, plural: string, path: string, items: readonly Wire[]): Wire {
  return { [plural]: items, links: { self: `${site.api}/${path}`, next: null, previous: null } }
}

const link = (site: Site, plural: string, id: string) => ({ self: `${site.api}/${plural}/${encodeURIComponent(id)}` })

export function toDomain({ id, name, description, enabled }: Domain, site: Site): Wire {
  return { id, name, description, enabled, tags: [], options: {}, links: link(site, 'domains', id) }
}

export function toProject({ id, name, domainId, parentId, description, enabled, tags }: Project, site: Site): Wire {
  const owner = { domain_id: domainId, parent_id: parentId ?? domainId, is_domain: false }
  return { id, name, ...owner, description, enabled, tags, options: {}, links: link(site, 'projects', id) }
}

export function toUser({ id, name, domainId, defaultProjectId, email, ...user }: User, site: Site): Wire {
  return {
    id,
    name,
    domain_id: domainId,
    description: user.description,
    enabled: user.enabled,
    // Keystone leaves these out when they are not set, and clients print what they get.
    ...(email !== null && { email }),
    ...(defaultProjectId !== null && { default_project_id: defaultProjectId }),
    password_expires_at: null,
    options: {},
    links: link(site, 'users', id),
  }
}

export function toGroup({ id, name, domainId, description }: Group, site: Site): Wire {
  return { id, name, domain_id: domainId, description, links: link(site, 'groups', id) }
}

export function toRole({ id, name, description }: Role, site: Site): Wire {
  return { id, name, domain_id: null, description, options: {}, links: link(site, 'roles', id) }
}

export function toRegion({ id, description, parentRegionId }: Region, site: Site): Wire {
  return { id, description, parent_region_id: parentRegionId, links: link(site, 'regions', id) }
}

export function toService({ id, type, name, description, enabled }: CatalogService, site: Site): Wire {
  return { id, type, name, description, enabled, links: link(site, 'services', id) }
}

export function toEndpoint({ id, serviceId, regionId, ...endpoint }: CatalogEndpoint, site: Site): Wire {
  return {
    id,
    service_id: serviceId,
    region_id: regionId,
    region: regionId,
    interface: endpoint.interface,
    url: endpoint.url.replace('{base}', site.base),
    enabled: endpoint.enabled,
    links: link(site, 'endpoints', id),
  }
}

export function toAppCredential(credential: NamedAppCredential, site: Site): Wire {
  const { id, name, userId, projectId, description, expiresAt, unrestricted, roles } = credential
  return {
    id,
    name,
    user_id: userId,
    project_id: projectId,
    description,
    expires_at: expiresAt === null ? null : toTime(expiresAt).replace('Z', ''),
    unrestricted,
    roles: roles.map((role) => ({ id: role.id, name: role.name, domain_id: null })),
    links: link(site, `users/${userId}/application_credentials`, id),
  }
}

export function toToken(info: TokenInfo, catalog: readonly CatalogEntry[] | null, site: Site): Wire {
  const { scope, appCredential } = info
  return {
    methods: info.methods,
    user: { ...info.user, password_expires_at: null },
    audit_ids: info.auditIds,
    issued_at: toTime(info.issuedAt),
    expires_at: toTime(info.expiresAt),
    ...(scope.kind === 'project' && { project: scope.project, is_domain: false }),
    ...(scope.kind === 'domain' && { domain: scope.domain }),
    ...(scope.kind === 'system' && { system: { all: true } }),
    ...(scope.kind !== 'unscoped' && { roles: info.roles }),
    ...(scope.kind !== 'unscoped' && catalog && { catalog: toCatalog(catalog, info, site) }),
    ...(appCredential && { application_credential: appCredential }),
  }
}

export function toCatalog(catalog: readonly CatalogEntry[], { scope }: TokenInfo, { base }: Site): Wire[] {
  const projectId = scope.kind === 'project' ? scope.project.id : null
  return catalog.map(({ service: { id, type, name }, endpoints }) => ({
    id,
    type,
    name,
    endpoints: endpoints.flatMap(({ id, interface: kind, regionId, url }) => {
      // Keystone's own placeholders; an endpoint that needs a project is left out where there is none.
      const perProject = /[$%]\((project|tenant)_id\)s/g
      if (projectId === null && url.search(perProject) !== -1) return []
      const full = url.replace('{base}', base).replace(perProject, projectId ?? '')
      return [{ id, interface: kind, region: regionId, region_id: regionId, url: full }]
    }),
  }))
}

export function toAssignment({ grant, ...names }: NamedGrant, withNames: boolean, { api }: Site): Wire {
  const { actor, target, roleId } = grant
  const path = target.kind === 'system' ? 'system' : `${target.kind}s/${target.id}`
  const id = { id: target.id }
  const scopeOf = (wire: Wire) => (target.kind === 'system' ? { system: { all: true } } : { [target.kind]: wire })
  const named = names.target?.domain ? { ...id, name: names.target.name, domain: names.target.domain } : undefined
  const scope = withNames ? (named ?? { ...id, name: names.target?.name ?? '' }) : id
  return {
    role: withNames ? names.role : { id: roleId },
    [actor.kind]: withNames ? names.actor : { id: actor.id },
    scope: scopeOf(scope),
    links: { assignment: `${api}/${path}/${actor.kind}s/${actor.id}/roles/${roleId}` },
  }
}
