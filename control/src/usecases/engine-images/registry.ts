import { Fault } from '@gantry/kernel'
import { type Caller, registryOf } from '@gantry/model'
import type { ImageName } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import type { UpstreamFound, UpstreamManifest } from '../../ports/upstream.ts'
import { upstreamRepository } from '../catalogue/sources.ts'
import { nameOf, newName } from './names.ts'
import { judgeRegistry, ownPlaceOf } from './own-registry.ts'
import { imagesOf, type KnownImage } from './project-images.ts'

/** As long as a registry may take for a short answer. Milliseconds. */
const askMs = 60_000

/** What is asked of registries, but for pulls and pushes. */
export function registryQuestions(deps: Deps): Pick<EngineImages, 'search' | 'registryLogin' | 'distribution'> {
  const soon = () => AbortSignal.timeout(askMs)
  return {
    async search(caller, term, limit) {
      const { repo } = nameOf(term)
      judgeRegistry(deps, caller, repo)
      const place = ownPlaceOf(deps, repo)
      const wanted = place ? [place.namespace, place.repo].filter((part) => part !== '').join('/') : repo
      const own = (await imagesOf(deps, caller)).flatMap(foundOf).filter(({ name }) => name.includes(wanted))
      const others = place ? [] : await upstreamSearch(deps, repo, limit, soon())
      const byName = new Map([...others, ...own].map((each) => [each.name, each]))
      return [...byName.values()].slice(0, limit)
    },
    async registryLogin(caller, login) {
      const domain = domainOf(login?.domain ?? '')
      deps.rules.judge(caller, { kind: 'registry', domain })
      if (login === null) throw new Fault('registry.login', { reason: 'a user name and a password are needed' })
      return { status: await deps.upstream.logIn(domain, login, soon()), token: '' }
    },
    async distribution(caller, text, login) {
      const asked = nameOf(text)
      const name = newName(asked.repo, asked.tag)
      judgeRegistry(deps, caller, name.repo)
      const found = ownPlaceOf(deps, name.repo)
        ? await manifestHere(deps, caller, name)
        : await deps.upstream.manifest(upstreamRepository(name), name.tag, login, soon())
      const { mediaType, digest, content } = found
      return { Descriptor: { mediaType, digest, size: content.length }, Platforms: platformsIn(content) }
    },
  }
}

function foundOf({ shared, own }: KnownImage): UpstreamFound[] {
  return [...shared, ...own].flatMap(({ repo, visibility, id }) => {
    if (repo === '') return []
    const official = visibility === 'public'
    const whose = own.some((row) => row.id === id)
      ? "Image of your project's"
      : 'Image that is shared with your project'
    const description = official ? 'Public image of this cloud' : whose
    return [{ name: repo, description, official, automated: false, stars: 0 }]
  })
}

/** Nothing, where the registry cannot be asked: what is here is found all the same. */
async function upstreamSearch(deps: Deps, repo: string, limit: number, signal: AbortSignal) {
  const domain = registryOf(repo)
  const term = domain === '' ? repo : repo.slice(domain.length + 1)
  try {
    return await deps.upstream.search(domain, term, limit, signal)
  } catch (error) {
    if (error instanceof Fault && ['registry.unreachable', 'registry.refused'].includes(error.code)) return []
    throw error
  }
}

/** Docker Hub goes by several names and an address. */
function domainOf(address: string): string {
  const domain = address.replace(/^https?:\/\//i, '').replace(/\/.*$/, '')
  return /^(index\.|registry-1\.)?docker\.io$/i.test(domain) ? '' : domain
}

async function manifestHere(deps: Deps, caller: Caller, name: ImageName): Promise<UpstreamManifest> {
  const image = await deps.catalogue.find(caller, name)
  if (!image?.digest || image.kind === 'data') {
    throw new Fault('registry.refused', { reason: `manifest unknown: ${name.repo}:${name.tag} is not here` })
  }
  const { mediaType, digest, content } = await deps.catalogue.manifest(image.digest)
  return { mediaType, digest, content: Buffer.from(content) }
}

/** Of an index; one image says it only in its configuration, which nobody fetches for this. */
function platformsIn(content: Buffer): object[] {
  try {
    const { manifests } = JSON.parse(content.toString()) as { readonly manifests?: unknown }
    if (!Array.isArray(manifests)) return []
    return (manifests as { readonly platform?: unknown }[]).flatMap((each) =>
      typeof each?.platform === 'object' && each.platform !== null ? [each.platform] : [],
    )
  } catch {
    return []
  }
}
