import { addAbortSignal } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { type Digest, parseDigest } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import type { ManifestAnswer, ReferrerView, Repository } from '../../registry-verbs.ts'
import { inPage } from './pages.ts'
import type { Sight } from './sight.ts'

export type Reading = Pick<Repository, 'tags' | 'manifest' | 'blob' | 'openBlob' | 'referrers'>

/** The half of a repository that changes nothing; `name` is what faults call it. */
export function readingOf(
  { store, blobs, catalogue }: Pick<Deps, 'store' | 'blobs' | 'catalogue'>,
  name: string,
  sight: Sight,
): Reading {
  const seenBlob = async (text: string) => {
    const digest = digestOf(text)
    const there = (await sight.hasBlob(digest)) ? await blobs.stat(digest) : null
    if (!there) throw new Fault('blob.unknown', { digest })
    return { digest, size: there.size }
  }
  return {
    async tags(page) {
      const tags = await sight.tags()
      if (!tags) throw new Fault('repository.unknown', { name })
      return inPage(
        tags.map(({ tag }) => tag),
        page,
      )
    },
    async manifest(reference) {
      const digest = reference.includes(':') ? digestOf(reference) : await sight.tagged(reference)
      const isSeen = digest !== null && (!reference.includes(':') || (await sight.hasManifest(digest)))
      const found = isSeen ? await store.contents.manifest(digest) : undefined
      if (!found) throw new Fault('manifest.unknown', { reference, repository: name })
      return answerOf(found)
    },
    async blob(text) {
      const { size } = await seenBlob(text)
      return { size }
    },
    async openBlob(text, range, signal) {
      const { digest } = await seenBlob(text)
      signal.throwIfAborted()
      const opened = await catalogue.openBlob(digest, range ?? undefined)
      // Told to whoever reads; who asked may have gone while it was opened, and then nobody does.
      opened.body.on('error', () => undefined)
      addAbortSignal(signal, opened.body)
      return opened
    },
    async referrers(text, artifactType) {
      const views = (await sight.referrers(digestOf(text))).map(referrerOf)
      return views.filter((view) => artifactType === null || view.artifactType === artifactType)
    },
  }
}

/** Throws `digest.invalid`. */
export function digestOf(text: string): Digest {
  const digest = parseDigest(text)
  if (!digest) throw new Fault('digest.invalid', { digest: JSON.stringify(text.slice(0, 200)) })
  return digest
}

export function answerOf({ mediaType, digest, content }: Manifest): ManifestAnswer {
  return { mediaType, digest, content: Buffer.from(content) }
}

function referrerOf({ mediaType, digest, size, artifactType, content }: Manifest): ReferrerView {
  const { config, annotations = {} } = JSON.parse(content) as {
    readonly config?: { readonly mediaType?: string }
    readonly annotations?: Readonly<Record<string, string>>
  }
  // OCI distribution spec 1.1, "Listing Referrers": without a type of its own it has that of its configuration.
  return { mediaType, digest, size, artifactType: artifactType ?? config?.mediaType ?? null, annotations }
}
