import type { Asker, Collection, Domain, NewDomain, NewProject, NewRole, Project, Role } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { collection } from './collection.ts'
import { newId, type Parts, revoking } from './parts.ts'
import { found } from './policy.ts'
import { subject } from './tokens.ts'

/** The domain that everything is in unless somebody says otherwise; its id is the same in every cloud. */
export const defaultDomainId = 'default'

export function domains(parts: Parts): Collection<Domain, NewDomain> {
  const { store, box, ids } = parts
  return collection<Domain, NewDomain>(parts, {
    type: 'domain',
    table: store.domains,
    readable: async (asker, id) => asker.token.user.domain.id === id,
    make: async (_asker, { name, description = '', enabled = true }) => ({
      id: newId(ids),
      name,
      description,
      enabled,
    }),
    async change(current, change) {
      if (current.id === defaultDomainId && change.enabled === false) {
        throw new Fault('identity.refused', { reason: 'The default domain cannot be disabled.' })
      }
      return change
    },
    revokedBy: (current, change) => (change.enabled === false ? [subject.domain(current.id)] : []),
    async removing(domain) {
      // Keystone's safety catch: nobody deletes a whole domain by a slip.
      if (domain.enabled) {
        throw new Fault('identity.refused', { reason: `Domain ${domain.name} must be disabled before it is deleted.` })
      }
      await revoking(box, [subject.domain(domain.id)], async () => {
        for (const { id } of await store.users.list({ domainId: domain.id })) await store.users.remove(id)
        for (const { id } of await store.groups.list({ domainId: domain.id })) await store.groups.remove(id)
        for (const { id } of await store.projects.list({ domainId: domain.id })) await store.projects.remove(id)
        for (const grant of await store.grants.list({ target: { kind: 'domain', id: domain.id } })) {
          await store.grants.remove(grant)
        }
      })
      return [subject.domain(domain.id)]
    },
  })
}

export function projects(parts: Parts): Collection<Project, NewProject> {
  const { store, ids } = parts
  return collection<Project, NewProject>(parts, {
    type: 'project',
    table: store.projects,
    async readable(asker, id) {
      return (await store.grants.rolesOf(asker.token.user.id, { kind: 'project', id })).length > 0
    },
    async make(asker, { name, description = '', enabled = true, tags = [], ...input }) {
      // In the Identity API a domain is the parent of the projects at its top.
      const top = await store.domains.get(input.parentId ?? '')
      const parent = top ? undefined : await parentOf(parts, input.parentId ?? null)
      const domainId = top?.id ?? parent?.domainId ?? input.domainId ?? domainOf(asker)
      if (input.domainId !== undefined && input.domainId !== domainId) {
        throw new Fault('request.invalid', { problem: 'A project must be in the same domain as its parent.' })
      }
      await found(store.domains.get(domainId), 'domain', domainId)
      return { id: newId(ids), name, domainId, parentId: parent?.id ?? null, description, enabled, tags }
    },
    async change(current, { domainId = current.domainId, parentId = current.parentId, ...change }) {
      const sameParent = (parentId ?? domainId) === (current.parentId ?? current.domainId)
      if (domainId !== current.domainId || !sameParent) {
        throw new Fault('request.invalid', { problem: 'A project cannot move to another domain or parent.' })
      }
      return change
    },
    revokedBy: (current, change) => (change.enabled === false ? [subject.project(current.id)] : []),
    async removing(project) {
      if ((await store.projects.list({ parentId: project.id })).length > 0) {
        throw new Fault('identity.refused', { reason: `Project ${project.name} has projects below it.` })
      }
      return [subject.project(project.id)]
    },
  })
}

async function parentOf({ store }: Parts, parentId: string | null): Promise<Project | undefined> {
  return parentId === null ? undefined : found(store.projects.get(parentId), 'project', parentId)
}

/** Where something belongs when the request does not say. */
export function domainOf({ token }: Asker): string {
  if (token.scope.kind === 'domain') return token.scope.domain.id
  return token.scope.kind === 'project' ? token.scope.project.domain.id : token.user.domain.id
}

export function roles(parts: Parts): Collection<Role, NewRole> {
  const { store, ids } = parts
  return collection<Role, NewRole>(parts, {
    type: 'role',
    table: store.roles,
    readable: 'all',
    make: async (_asker, { name, description = null }) => ({ id: newId(ids), name, description }),
    async change(current, change) {
      if (change.name !== undefined && change.name !== current.name) keepAdmin(current)
      return change
    },
    // A token carries the role's name, so a new name needs a new token.
    revokedBy: (current, { name = current.name }) => (name === current.name ? [] : [subject.role(current.id)]),
    async removing(role) {
      keepAdmin(role)
      return [subject.role(role.id)]
    },
  })
}

function keepAdmin({ name }: Role): void {
  if (name !== 'admin') return
  throw new Fault('identity.refused', { reason: 'The role admin is what administration is decided by; it stays.' })
}
