import { type Digest, isTag } from '@gantry/model'
import type { BlobProgress, Catalogue } from '../../catalogue.ts'
import type { Manifest, ManifestPart } from '../../ports/image-tables.ts'
import type { UpstreamLogin, UpstreamRepository } from '../../ports/upstream.ts'
import type { Blobs } from './blobs.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { isBlob, isIndex } from './manifest-kinds.ts'
import type { ParsedManifest } from './parse-manifest.ts'
import { upstreamRepository } from './sources.ts'

interface Errand {
  readonly repository: UpstreamRepository
  readonly login: UpstreamLogin | null
  readonly progress: (told: BlobProgress) => void
  readonly signal: AbortSignal
}

interface Manifests extends Pick<Catalogue, 'manifest' | 'runnable'> {
  readonly parse: (given: { readonly mediaType: string; readonly content: Buffer }) => ParsedManifest
}

/** See `Catalogue.send`. */
export function sendingVerb(
  { store, upstream }: CatalogueDeps,
  blobs: Blobs,
  manifests: Manifests,
): Pick<Catalogue, 'send'> {
  async function sendBlob({ repository, login, progress, signal }: Errand, { digest, size }: ManifestPart) {
    const tell = (state: BlobProgress['state'], current: number) => progress({ digest, state, current, total: size })
    if (await upstream.hasBlob(repository, digest, login, signal)) return tell('present', size)
    tell('moving', 0)
    const open = async () => (await blobs.openBlob(digest)).body
    await upstream.putBlob(repository, { digest, size, open }, login, signal)
    tell('done', size)
  }

  async function sendManifest({ repository, login, signal }: Errand, manifest: Manifest, reference: string) {
    const content = Buffer.from(manifest.content)
    await upstream.putManifest(repository, reference, { ...manifest, content }, login, signal)
  }

  /** An index of which only a part is here would be refused: then the image itself, as engines do. */
  async function wholeOf(digest: Digest): Promise<Manifest> {
    const top = await manifests.manifest(digest)
    if (!isIndex(top)) return top
    const named = manifests.parse({ mediaType: top.mediaType, content: Buffer.from(top.content) })
    if (named.parts.length === top.parts.length) return top
    return (await manifests.runnable(digest)) ?? top
  }

  return {
    async send(_caller, digest, to, login, progress, signal) {
      const errand = { repository: upstreamRepository(to), login, progress, signal }
      const top = await wholeOf(digest)
      const closure = await store.contents.closure(top.digest)
      const parts = closure.flatMap((each) => each.parts.filter(isBlob))
      const wanted = [...new Map(parts.map((part) => [part.digest, part])).values()]
      for (const { digest: each, size } of wanted) progress({ digest: each, state: 'waiting', current: 0, total: size })
      for (const part of wanted) await sendBlob(errand, part)
      for (const each of inOrder(closure, top)) await sendManifest(errand, each, each.digest)
      await sendManifest(errand, top, isTag(to.tag) ? to.tag : top.digest)
      return top
    },
  }
}

/** Without the top itself: each after what it is made of. */
function inOrder(closure: readonly Manifest[], top: Manifest): Manifest[] {
  const byDigest = new Map(closure.map((each) => [each.digest, each]))
  const sorted = new Set<Manifest>()
  const visit = (manifest: Manifest) => {
    for (const { kind, digest } of manifest.parts) {
      const child = kind === 'manifest' ? byDigest.get(digest) : undefined
      if (child && !sorted.has(child)) visit(child)
    }
    sorted.add(manifest)
  }
  visit(top)
  sorted.delete(top)
  return [...sorted]
}
