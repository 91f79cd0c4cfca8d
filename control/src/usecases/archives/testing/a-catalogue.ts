import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Fault } from '@gantry/kernel'
import type { Caller, Digest, ProjectId } from '@gantry/model'
import type { Catalogue } from '../../../catalogue.ts'
import type { Deps } from '../../../deps.ts'
import type { Manifest } from '../../../ports/image-tables.ts'
import { manifestChecks } from '../../catalogue/manifest-schemas.ts'
import { parseManifest } from '../../catalogue/parse-manifest.ts'
import type { ArchiveDeps } from '../archive-site.ts'

export const ann = { projectId: 'p-ann' as ProjectId } as Caller

/** A catalogue in memory: what archives need of it. */
export function aCatalogue() {
  const blobs = new Map<Digest, Buffer>()
  const manifests = new Map<Digest, Manifest>()
  const sizes = new Map<Digest, number>()
  const checks = manifestChecks()
  const catalogue: Pick<Catalogue, 'addBlob' | 'openBlob' | 'addManifest' | 'runnable'> = {
    async addBlob(_caller, body, signal) {
      const content = await buffer(body)
      signal.throwIfAborted()
      const digest = digestOf(content)
      blobs.set(digest, content)
      return { digest, size: content.length }
    },
    async openBlob(digest) {
      const content = blobs.get(digest)
      if (!content) throw new Fault('blob.unknown', { digest })
      return { size: content.length, body: Readable.from([content], { objectMode: false }) }
    },
    async addManifest(_holder, given, { partial = false } = {}) {
      const { kind: _kind, optional: _optional, ...parsed } = parseManifest(checks, given)
      const isThere = ({ digest, size }: { digest: Digest; size: number }) =>
        blobs.get(digest)?.length === size || manifests.get(digest)?.size === size
      const missing = parsed.parts.find((part) => !isThere(part))
      if (missing && !partial) throw new Fault('manifest.blob-unknown', { digest: missing.digest })
      const { configDigest } = parsed
      const config = configDigest === null ? null : String(blobs.get(configDigest))
      const manifest = { ...parsed, parts: parsed.parts.filter(isThere), config }
      manifests.set(manifest.digest, manifest)
      return manifest
    },
    async runnable(digest) {
      const manifest = manifests.get(digest)
      const child = manifest?.parts.find(({ kind, platform }) => kind === 'manifest' && platform === 'linux/amd64')
      return (child ? manifests.get(child.digest) : manifest) ?? null
    },
  }
  const contents = {
    async setLayerSizes(layers: readonly { readonly diffId: Digest; readonly size: number }[]) {
      for (const { diffId, size } of layers) sizes.set(diffId, size)
    },
  }
  const clock = { now: () => Date.UTC(2026, 0) }
  const deps = { catalogue, store: { contents }, clock } as unknown as ArchiveDeps & Pick<Deps, 'clock'>
  return { deps, blobs, manifests, sizes }
}

export function digestOf(content: Buffer | string): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
}
