import type { Digest, Image } from '@gantry/model'
import type { Manifest } from '../../ports/image-tables.ts'
import type { Tables } from '../../ports/store.ts'
import { isBlob, isIndex } from './manifest-kinds.ts'
import { partForUs } from './platform.ts'

/** See `Catalogue.runnable`. */
export async function runnableOf(tables: Pick<Tables, 'contents'>, digest: Digest): Promise<Manifest | null> {
  return pick(await tables.contents.closure(digest), digest)
}

/** What an entry of the catalogue says about the manifest it means; null: there is no such manifest. */
export async function factsOf(
  tables: Pick<Tables, 'contents'>,
  digest: Digest,
): Promise<Pick<Image, 'kind' | 'imageId' | 'size' | 'bytes'> | null> {
  const closure = await tables.contents.closure(digest)
  const top = closure.find((each) => each.digest === digest)
  if (!top) return null
  const image = pick(closure, digest)
  return {
    kind: top.configDigest !== null ? 'image' : isIndex(top) ? 'index' : 'artifact',
    imageId: image?.configDigest ?? null,
    size: image ? await unpackedSize(tables, image) : null,
    bytes: bytesOf(closure),
  }
}

function pick(closure: readonly Manifest[], digest: Digest): Manifest | null {
  const byDigest = new Map(closure.map((each) => [each.digest, each]))
  const leaves = imagesIn(byDigest, digest, null)
  return partForUs(leaves)?.manifest ?? null
}

interface Leaf {
  readonly platform: string | null
  readonly manifest: Manifest
}

/** It ends: an index cannot hold its own digest. */
function imagesIn(manifests: ReadonlyMap<Digest, Manifest>, digest: Digest, said: string | null): Leaf[] {
  const manifest = manifests.get(digest)
  if (!manifest) return []
  if (manifest.configDigest !== null) return [{ platform: said ?? platformIn(manifest), manifest }]
  const children = manifest.parts.filter(({ kind }) => kind === 'manifest')
  return children.flatMap((part) => imagesIn(manifests, part.digest, part.platform))
}

/** `os/architecture`; null: it does not say so. */
export function platformIn({ config }: Pick<Manifest, 'config'>): string | null {
  const { os, architecture } = JSON.parse(config ?? '{}') as { readonly os?: unknown; readonly architecture?: unknown }
  return typeof os === 'string' && typeof architecture === 'string' ? `${os}/${architecture}` : null
}

async function unpackedSize({ contents }: Pick<Tables, 'contents'>, { config }: Manifest): Promise<number | null> {
  const { rootfs } = JSON.parse(config ?? '{}') as { readonly rootfs?: { readonly diff_ids?: unknown } | null }
  const diffIds = Array.isArray(rootfs?.diff_ids) ? (rootfs.diff_ids as unknown[]) : null
  if (!diffIds?.every((each) => typeof each === 'string')) return null
  const sizes = await contents.layerSizes(diffIds as Digest[])
  return sizes && sizes.reduce((sum, size) => sum + size, 0)
}

function bytesOf(closure: readonly Manifest[]): number {
  const blobs = new Map(closure.flatMap(({ parts }) => parts.filter(isBlob).map(({ digest, size }) => [digest, size])))
  return [...closure.map(({ size }) => size), ...blobs.values()].reduce((sum, size) => sum + size, 0)
}
