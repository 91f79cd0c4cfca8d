import { Fault } from '@gantry/kernel'
import { type Caller, type Digest, familiarRepo, formatImageName, type HostId, parseDigest } from '@gantry/model'
import { pulledFrom } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import type { UpstreamLogin } from '../../ports/upstream.ts'
import type { RegistryVerbs, Repository } from '../../registry-verbs.ts'
import { openPass, type ReadPass, type UpstreamPass, type WritePass } from '../catalogue/passes.ts'
import { type Flights, flights } from './flights.ts'
import { answerOf, readingOf } from './reading.ts'
import { ownRepository, refusingAll } from './repository.ts'
import { blindness, ownSight, type Sight } from './sight.ts'

/** What hosts read and write: exactly what the pass is for, whatever the repository is called. */
export function hostRepositories(deps: Deps): RegistryVerbs['forHost'] {
  const fetches = flights<Digest>()
  return (hostId: HostId, sealed: string, name: string) => {
    const pass = openPass(deps.secrets, hostId, sealed, deps.clock.now())
    switch (pass.kind) {
      case 'read':
        return { ...readingOf(deps, name, closureSight(deps, pass)), ...refusingAll(async () => unknown(name)) }
      case 'upstream':
        return upstreamRepository(deps, pass, name, fetches)
      case 'write':
        return writtenRepository(deps, pass, name)
    }
  }
}

function unknown(name: string): Fault {
  return new Fault('repository.unknown', { name })
}

/** One manifest, by its digest, and what it is made of. */
function closureSight({ store }: Deps, { digest }: ReadPass): Sight {
  const whole = () => store.contents.closure(digest)
  return {
    ...blindness,
    hasManifest: async (wanted) => (await whole()).some((each) => each.digest === wanted),
    hasBlob: async (wanted) => (await whole()).some(({ parts }) => parts.some((part) => part.digest === wanted)),
  }
}

/** What is pushed has no name and no repository. Nothing is taken away. */
function writtenRepository(deps: Deps, { caller }: WritePass, name: string): Repository {
  const { deleteManifest, deleteBlob } = refusingAll(async () => unknown(name))
  return { ...ownRepository(deps, { caller, repo: '', name }), deleteManifest, deleteBlob }
}

/**
 * An image of another registry, which comes here first: when the host asks for the name, the other registry is asked what it means
 * now. The project then has it under that name, as if somebody had pulled it.
 */
function upstreamRepository(deps: Deps, pass: UpstreamPass, name: string, fetches: Flights<Digest>): Repository {
  const { store } = deps
  const image = { repo: familiarRepo(pass.name.repo), tag: pass.name.tag }
  const own = ownSight(deps, pass.projectId, image.repo)
  // Of this repository alone, although the project may have more.
  const sight: Sight = { ...own, hasBlob: (digest) => own.hasManifest(digest), tags: async () => null }
  const fetch = async (reference: string, signal: AbortSignal): Promise<Manifest> => {
    const key = JSON.stringify([pass.projectId, image.repo, reference, pass.sealedLogin])
    const digest = await fetches(key, (each) => broughtHere(deps, pass, { ...image, tag: reference }, each), signal)
    const found = await store.contents.manifest(digest)
    if (!found) throw new Fault('manifest.unknown', { reference, repository: name })
    return found
  }
  return {
    ...readingOf(deps, name, sight),
    ...refusingAll(async () => unknown(name)),
    async manifest(reference, signal) {
      const digest = parseDigest(reference)
      const known = digest !== null && (await sight.hasManifest(digest)) ? await store.contents.manifest(digest) : null
      if (known) return answerOf(known)
      const isMeant = reference === image.tag || (digest !== null && (await isListed(deps, own, image.tag, digest)))
      if (!isMeant) throw new Fault('manifest.unknown', { reference, repository: name })
      return answerOf(await fetch(reference, signal))
    },
  }
}

/** An index comes with the image of the server's own kind of machine; a host of another kind asks for its own. */
async function isListed({ store }: Deps, own: Sight, tag: string, digest: Digest): Promise<boolean> {
  const whole = parseDigest(tag) ?? (await own.tagged(tag))
  const index = whole === null ? undefined : await store.contents.manifest(whole)
  const { manifests = [] } = JSON.parse(index?.content ?? '{}') as {
    readonly manifests?: { readonly digest: string }[]
  }
  return manifests.some((each) => each.digest === digest)
}

/** Answers what the name means, as far as that can be found out: what is here counts if the other registry cannot be reached. */
async function broughtHere(
  deps: Deps,
  pass: UpstreamPass,
  image: { readonly repo: string; readonly tag: string },
  signal: AbortSignal,
): Promise<Digest> {
  const { catalogue, ids } = deps
  const caller = callerFor(pass, `req-${ids.uuid()}` as Caller['requestId'])
  try {
    const { digest } = await catalogue.fetch(caller, image, loginOf(deps, pass), () => {}, signal)
    if (parseDigest(image.tag) === null) {
      const properties = { [pulledFrom]: formatImageName(image.repo, image.tag) }
      await catalogue.nameImage(caller, image, digest, { glance: { properties } })
    }
    return digest
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'registry.unreachable') throw error
    const known = await ownSight(deps, pass.projectId, image.repo).tagged(image.tag)
    if (known === null) throw error
    return known
  }
}

function loginOf({ secrets }: Deps, { sealedLogin }: UpstreamPass): UpstreamLogin | null {
  if (sealedLogin === null) return null
  const { username, password } = JSON.parse(secrets.open(sealedLogin)) as UpstreamLogin
  return { username, password }
}

/** The project, when nobody of it has asked just now: a host needs the image for a container. */
function callerFor({ projectId }: UpstreamPass, requestId: Caller['requestId']): Caller {
  const userId = '' as Caller['userId']
  return { userId, userName: '', projectId, projectName: '', roles: [], isAdmin: false, requestId }
}
