import type { IdentityStore, Namespaces, Project } from '@gantry/control'
import { isRepositoryName, type ProjectId } from '@gantry/model'
import { defaultDomainId } from './owners.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Projects in the names of repositories. A name that several domains have is that of the default domain's project, so that nobody
 * takes it away by calling her own the same; without one there, it leads nowhere. An id always leads to its project.
 */
export function embeddedNamespaces({
  projects,
  users,
}: Pick<IdentityStore, 'projects'> & { readonly users: Pick<IdentityStore['users'], 'get'> }): Namespaces {
  async function called(name: string): Promise<Project | null> {
    const found = await projects.list({ name })
    const [only] = found
    return found.find(({ domainId }) => domainId === defaultDomainId) ?? (found.length === 1 && only ? only : null)
  }

  async function projectWithId(text: string): Promise<Project | null> {
    return (await projects.get(uuid.test(text) ? text.replaceAll('-', '') : text)) ?? null
  }

  return {
    async projectOf(namespace) {
      const found = (await projectWithId(namespace)) ?? (await called(namespace))
      return found ? (found.id as ProjectId) : null
    },
    async namespaceOf(projectId) {
      const name = (await projects.get(projectId))?.name ?? ''
      if (name.includes('/') || !isRepositoryName(name) || (await projectWithId(name))) return projectId
      return (await called(name))?.id === projectId ? name : projectId
    },
    userNameOf: async (userId) => (await users.get(userId))?.name ?? userId,
  }
}
