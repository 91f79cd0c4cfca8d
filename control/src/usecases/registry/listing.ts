import { type Caller, type Image, isRepositoryName, type ProjectId } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { FoundRepository, RegistryVerbs } from '../../registry-verbs.ts'
import { inPage } from './pages.ts'

/** Names of repositories that the caller may see something in. */
export function listingOf(deps: Pick<Deps, 'store' | 'namespaces'>): Pick<RegistryVerbs, 'repositories' | 'search'> {
  return {
    async repositories(caller, page) {
      return inPage([...(await visibleRepositories(deps, caller)).keys()], page)
    },
    async search(caller, term, limit) {
      const wanted = term.toLowerCase()
      const found = [...(await visibleRepositories(deps, caller)).values()].filter(({ name }) => name.includes(wanted))
      // The project's own first, as they are what is usually meant.
      return found
        .toSorted((one, other) => Number(other.isOwn) - Number(one.isOwn) || (one.name < other.name ? -1 : 1))
        .slice(0, limit)
    },
  }
}

async function visibleRepositories(
  { store, namespaces }: Pick<Deps, 'store' | 'namespaces'>,
  { projectId }: Caller,
): Promise<Map<string, FoundRepository>> {
  const [rows, held] = await Promise.all([store.images.list(projectId), store.contents.repositories(projectId)])
  const named = new Map<ProjectId, string>()
  const found = new Map<string, FoundRepository>()
  const add = async (owner: ProjectId, repo: string, isPublic: boolean) => {
    const namespace = named.get(owner) ?? (await namespaces.namespaceOf(owner))
    named.set(owner, namespace)
    const name = `${namespace}/${repo}`
    // What was pulled from a registry with a port has a name that no client could ask for.
    if (!isRepositoryName(name)) return
    const isAlsoPublic = isPublic || found.get(name)?.isPublic === true
    found.set(name, { name, isPublic: isAlsoPublic, isOwn: owner === projectId })
  }
  for (const row of rows.filter(isInRegistry)) await add(row.projectId, row.repo, row.visibility === 'public')
  for (const repo of held) await add(projectId, repo, false)
  return found
}

function isInRegistry({ repo, status, kind, digest }: Image): boolean {
  return repo !== '' && status === 'active' && kind !== 'data' && digest !== null
}
