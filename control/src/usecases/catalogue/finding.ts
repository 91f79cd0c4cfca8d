import {
  type Caller,
  familiarRepo,
  type Image,
  parseDigest,
  type ProjectId,
  registryOf,
  splitNamespace,
} from '@gantry/model'
import type { Catalogue } from '../../catalogue.ts'
import type { ImageQuery } from '../../ports/image-tables.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'

/** See `Catalogue.find`. */
export function findingVerb(
  deps: Pick<CatalogueDeps, 'store' | 'namespaces' | 'registryDomains'>,
): Pick<Catalogue, 'find'> {
  const { store, namespaces, registryDomains } = deps

  async function seen(caller: Caller, query: ImageQuery): Promise<Image[]> {
    const found = await store.images.list(caller.projectId, query)
    return found.filter(({ status }) => status === 'active')
  }

  /** Its own first, then the newest that everybody may see. */
  async function plain(caller: Caller, repo: string, tag: string): Promise<Image | null> {
    const digest = parseDigest(tag)
    if (digest === null) return (await store.images.resolve(caller.projectId, repo, tag)) ?? null
    const own = await seen(caller, { owners: 'own', digest })
    // A tag that moved on has left this content without a name.
    const [first] = [...own.filter((row) => row.repo === repo), ...own]
    return first ?? (await seen(caller, { owners: 'public', repo, digest })).at(-1) ?? null
  }

  async function inNamespace(caller: Caller, name: string, tag: string): Promise<Image | null> {
    const parts = splitNamespace(name)
    const owner = parts && (await namespaces.projectOf(parts.namespace))
    if (!parts || owner === null) return null
    return of(caller, owner, parts.repo, tag)
  }

  async function of(caller: Caller, owner: ProjectId, repo: string, tag: string): Promise<Image | null> {
    const digest = parseDigest(tag)
    // Whoever names the project means its image, whether it is in the own lists or not.
    const rows = await seen(caller, { repo, memberStatus: 'all', ...(digest === null ? { tag } : { digest }) })
    return rows.findLast(({ projectId }) => projectId === owner) ?? null
  }

  /** `sha256:…`, of a manifest or as engines call an image. */
  async function byId(caller: Caller, id: string): Promise<Image | null> {
    const digest = parseDigest(id)
    if (digest === null) return null
    const rows = [...(await seen(caller, { imageId: id })), ...(await seen(caller, { digest }))]
    return rows.find(({ projectId }) => projectId === caller.projectId) ?? rows.at(-1) ?? null
  }

  return {
    async find(caller, { repo, tag }) {
      if (repo === 'sha256') return byId(caller, `${repo}:${tag}`)
      const domain = registryDomains.find((each) => repo.startsWith(`${each}/`))
      if (domain !== undefined) return inNamespace(caller, repo.slice(domain.length + 1), tag)
      const familiar = familiarRepo(repo)
      const found = await plain(caller, familiar, tag)
      if (found || registryOf(familiar) !== '') return found
      return inNamespace(caller, familiar, tag)
    },
  }
}
