import { Fault } from '@gantry/kernel'
import { type Caller, type Digest, familiarRepo, formatImageName, parseDigest } from '@gantry/model'
import { type ImageName, pulledFrom } from '../../catalogue.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import type { UpstreamLogin } from '../../ports/upstream.ts'
import type { Repository } from '../../registry-verbs.ts'
import type { Flights } from '../catalogue/flights.ts'
import type { UpstreamPass } from '../catalogue/passes.ts'
import { answerOf, readingOf } from './reading.ts'
import { refusingAll } from './repository.ts'
import { ownSight, type Sight } from './sight.ts'
import type { RegistryDeps } from './registry-deps.ts'

/**
 * An image of another registry, which comes here first. When the host asks for the name, the other registry is asked what it means
 * now; hosts that ask at once wait for one answer. The project then has the image as if somebody had pulled it.
 */
export function upstreamRepository(deps: RegistryDeps, pass: UpstreamPass, name: string, fetches: Flights): Repository {
  const { store } = deps
  const image = { repo: familiarRepo(pass.name.repo), tag: pass.name.tag }
  const sight = imageSight(deps, pass, image)
  const unknown = (reference: string) => new Fault('manifest.unknown', { reference, repository: name })

  async function seen(digest: Digest): Promise<Manifest | undefined> {
    return (await sight.hasManifest(digest)) ? store.contents.manifest(digest) : undefined
  }

  async function fetched(reference: string, index: Manifest | null, signal: AbortSignal): Promise<Manifest> {
    const key = JSON.stringify([pass.projectId, image.repo, reference, pass.sealedLogin])
    const bring = (_tell: unknown, ending: AbortSignal) =>
      bringHere(deps, pass, { ...image, tag: reference }, index, ending)
    await fetches.join(key, bring, { tell: () => {}, signal })
    const digest = parseDigest(reference) ?? (await sight.tagged(reference))
    const found = digest === null ? undefined : await seen(digest)
    if (!found) throw unknown(reference)
    return found
  }

  return {
    ...readingOf(deps, name, sight),
    ...refusingAll(async () => new Fault('repository.unknown', { name })),
    async manifest(reference, signal) {
      const digest = parseDigest(reference)
      const known = digest === null ? undefined : await seen(digest)
      if (known) return answerOf(known)
      if (reference === image.tag) return answerOf(await fetched(reference, null, signal))
      // An index comes with the image of the server's own kind of machine; a host of another kind asks for its own.
      const whole = parseDigest(image.tag) ?? (await sight.tagged(image.tag))
      const index = whole === null ? undefined : await seen(whole)
      if (digest === null || !index || !childrenOf(index).includes(digest)) throw unknown(reference)
      return answerOf(await fetched(reference, index, signal))
    },
  }
}

/** What the project has under the name, and nothing else that is its. */
function imageSight(deps: RegistryDeps, { projectId }: UpstreamPass, { repo, tag }: ImageName): Sight {
  const own = ownSight(deps, projectId, repo)
  const digest = parseDigest(tag)
  const has = async (wanted: Digest) => {
    if (await own.hasManifest(wanted)) return true
    // What is asked for by its digest gets no name, and so it is in no repository.
    if (digest === null || !(await deps.store.contents.isVisible(projectId, digest))) return false
    const whole = await deps.store.contents.closure(digest)
    return whole.some((each) => each.digest === wanted || each.parts.some((part) => part.digest === wanted))
  }
  return { ...own, tags: async () => null, hasManifest: has, hasBlob: has }
}

function childrenOf({ content }: Manifest): string[] {
  const { manifests = [] } = JSON.parse(content) as { readonly manifests?: readonly { readonly digest: string }[] }
  return manifests.map(({ digest }) => digest)
}

/** What is here counts, if the other registry cannot be reached. `index`: what it is a part of, and then becomes so here. */
async function bringHere(
  deps: RegistryDeps,
  pass: UpstreamPass,
  image: ImageName,
  index: Manifest | null,
  signal: AbortSignal,
): Promise<void> {
  const { catalogue, ids } = deps
  const caller = callerFor(pass, `req-${ids.uuid()}` as Caller['requestId'])
  try {
    const { digest } = await catalogue.fetch(caller, image, loginOf(deps, pass), () => {}, signal)
    if (index) {
      const whole = { mediaType: index.mediaType, content: Buffer.from(index.content) }
      await catalogue.addManifest({ caller, repo: '' }, whole, { partial: true })
      return
    }
    const properties = { [pulledFrom]: formatImageName(image.repo, image.tag) }
    await catalogue.nameImage(caller, parseDigest(image.tag) ? null : image, digest, { glance: { properties } })
  } catch (error) {
    const isHere = (await ownSight(deps, pass.projectId, image.repo).tagged(image.tag)) !== null
    if (isHere && error instanceof Fault && error.code === 'registry.unreachable') return
    throw error
  }
}

function loginOf({ secrets }: RegistryDeps, { sealedLogin }: UpstreamPass): UpstreamLogin | null {
  if (sealedLogin === null) return null
  const { username, password } = JSON.parse(secrets.open(sealedLogin)) as UpstreamLogin
  return { username, password }
}

/** The project, when nobody of it has asked just now: a host needs the image for a container. */
function callerFor({ projectId }: UpstreamPass, requestId: Caller['requestId']): Caller {
  const userId = '' as Caller['userId']
  return { userId, userName: '', projectId, projectName: '', roles: [], isAdmin: false, requestId }
}
