import { Readable } from 'node:stream'
import { Fault, limiter } from '@gantry/kernel'
import { type Caller, type Digest, parseDigest } from '@gantry/model'
import type { BlobProgress, Catalogue } from '../../catalogue.ts'
import type { ManifestPart } from '../../ports/image-tables.ts'
import type { UpstreamLogin, UpstreamManifest, UpstreamRepository } from '../../ports/upstream.ts'
import { enforceQuota } from '../../quotas/enforce.ts'
import type { Blobs } from './blobs.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { createFlights } from './flights.ts'
import { isBlob } from './manifest-kinds.ts'
import type { ParsedManifest } from './parse-manifest.ts'
import { ownPlatform, partForUs } from './platform.ts'
import { upstreamRepository } from './sources.ts'

/** Who fetches from where. */
interface Errand {
  readonly caller: Caller
  readonly repository: UpstreamRepository
  readonly login: UpstreamLogin | null
  readonly progress: (told: BlobProgress) => void
  readonly signal: AbortSignal
}

interface Manifests extends Pick<Catalogue, 'addManifest'> {
  readonly parse: (given: { readonly mediaType: string; readonly content: Buffer }) => ParsedManifest
}

/** As engines do: more at once brings nothing, and takes the line from others. */
const blobsAtOnce = 3
/** Bytes between two signs of progress. */
const tellEvery = 512 * 1024

/** See `Catalogue.fetch`. */
export function fetchingVerb(deps: CatalogueDeps, blobs: Blobs, manifests: Manifests): Pick<Catalogue, 'fetch'> {
  const { store, upstream } = deps
  const flights = createFlights()

  async function manifestOf(errand: Errand, reference: string): Promise<UpstreamManifest> {
    const { caller, repository, login, signal } = errand
    const digest = parseDigest(reference)
    if (digest !== null && (await store.contents.isVisible(caller.projectId, digest))) {
      const known = await store.contents.manifest(digest)
      if (known) return { ...known, content: Buffer.from(known.content) }
    }
    const found = await upstream.manifest(repository, reference, login, signal)
    if (digest !== null && found.digest !== digest) throw new Fault('digest.mismatch', { digest, actual: found.digest })
    return found
  }

  /** All blobs of an image are the project's afterwards. */
  async function bringBlobs(errand: Errand, parts: readonly ManifestPart[]): Promise<void> {
    const wanted = [...new Map(parts.map((part) => [part.digest, part])).values()]
    for (const { digest, size } of wanted) errand.progress({ digest, state: 'waiting', current: 0, total: size })
    const inTurn = limiter(blobsAtOnce)
    const stop = new AbortController()
    const signal = AbortSignal.any([errand.signal, stop.signal])
    try {
      await Promise.all(wanted.map((part) => inTurn(() => bringBlob({ ...errand, signal }, part))))
    } catch (error) {
      // The others are for nothing now.
      stop.abort(error)
      throw error
    }
  }

  async function bringBlob(errand: Errand, { digest, size }: ManifestPart): Promise<void> {
    const { caller, repository, login, progress, signal } = errand
    signal.throwIfAborted()
    const tell = (state: BlobProgress['state'], current: number) => progress({ digest, state, current, total: size })
    if ((await blobs.holdBlob(caller, digest)) || (await holdOpen(caller, repository, digest))) {
      return tell('present', size)
    }
    await enforceQuota(store, caller.projectId, { imageBytes: size })
    const key = JSON.stringify([repository.domain, login && [repository.path, login.username, login.password], digest])
    const work = (told: (current: number) => void, ending: AbortSignal) =>
      download({ ...errand, signal: ending }, { digest, size }, told)
    tell('moving', 0)
    await flights.join(key, work, { tell: (current: number) => tell('moving', current), signal })
    if (!(await holdOpen(caller, repository, digest, true))) throw new Fault('blob.unknown', { digest })
    tell('done', size)
  }

  /** What this registry gives to everybody need not be fetched again. `mayHave`: it was fetched for the caller. */
  async function holdOpen({ projectId }: Caller, { domain }: UpstreamRepository, digest: Digest, mayHave = false) {
    if (!(await deps.blobs.stat(digest))) return null
    return store.transaction(async (tables) => {
      const known = await tables.contents.blob(digest)
      if (!known || !(mayHave || known.origin === originOf(domain))) return null
      return blobs.holdIn(tables, projectId, digest, true)
    })
  }

  async function download(
    { repository, login, signal }: Errand,
    blob: { readonly digest: Digest; readonly size: number },
    told: (current: number) => void,
  ): Promise<void> {
    const { body } = await upstream.blob(repository, blob.digest, login, signal)
    const origin = login === null ? originOf(repository.domain) : null
    try {
      await blobs.addFetched(counted(body, told), blob, origin, signal)
    } catch (error) {
      const isOther = error instanceof Fault && ['digest.mismatch', 'request.too-large'].includes(error.code)
      if (!isOther) throw error
      const reason = `the registry sent something else than ${blob.digest}`
      throw new Fault('registry.refused', { reason }, error)
    }
  }

  async function fetchImage(errand: Errand, given: UpstreamManifest) {
    const { parts, optional } = manifests.parse(given)
    await bringBlobs(
      errand,
      parts.filter((part) => isBlob(part) && !optional.has(part.digest)),
    )
    return manifests.addManifest({ caller: errand.caller, repo: '' }, given)
  }

  return {
    async fetch(caller, name, login, progress, signal) {
      const errand = { caller, repository: upstreamRepository(name), login, progress, signal }
      const given = await manifestOf(errand, name.tag)
      const { kind, parts } = manifests.parse(given)
      if (kind === 'manifest') return fetchImage(errand, given)
      const ours = partForUs(parts.filter(({ platform }) => platform !== 'unknown/unknown'))
      if (!ours) {
        const reason = `no matching manifest for ${ownPlatform()} in the manifest list entries`
        throw new Fault('registry.refused', { reason })
      }
      const child = await manifestOf(errand, ours.digest)
      if (manifests.parse(child).kind === 'index') {
        throw new Fault('registry.refused', { reason: 'an index within an index is not followed' })
      }
      await fetchImage(errand, child)
      return manifests.addManifest({ caller, repo: '' }, given, { partial: true })
    },
  }
}

/** What the catalogue calls a registry that anybody could fetch a blob from. */
function originOf(domain: string): string {
  return domain || 'docker.io'
}

function counted(body: Readable, told: (current: number) => void): Readable {
  return Readable.from(
    (async function* count() {
      let current = 0
      let last = 0
      for await (const chunk of body) {
        current += (chunk as Buffer).length
        if (current - last >= tellEvery) {
          last = current
          told(current)
        }
        yield chunk as Buffer
      }
      told(current)
    })(),
    { objectMode: false, highWaterMark: tellEvery },
  )
}
