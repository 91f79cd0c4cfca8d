import { Readable } from 'node:stream'
import { fileHeader, filePadding, tarEnd, wholeFile } from '@gantry/kernel'
import type { Digest } from '@gantry/model'
import { type Catalogue, layersOf } from '../../catalogue.ts'
import type { Manifest } from '../../ports/image-tables.ts'

/** An image to be written: not an index. */
export interface WrittenImage {
  readonly manifest: Manifest
  /** `repo:tag`. */
  readonly names: readonly string[]
}

interface Member {
  readonly name: string
  readonly size: number
  readonly content: Buffer | Digest
}

/**
 * Images as one tar that `docker load`, `podman load` and skopeo take, the same bytes each time. Layers are as they are in the store,
 * compressed or not, and each is in it once. `size`: bytes. Blobs are opened one after another, as the body is read.
 */
export function writeArchive(
  catalogue: Pick<Catalogue, 'openBlob'>,
  images: readonly WrittenImage[],
): { readonly size: number; readonly body: Readable } {
  const members = new Map<string, Member>()
  for (const { manifest } of images) {
    for (const { digest, size } of layersOf(manifest)) add(layerPath(digest), size, digest)
  }
  for (const { manifest } of images) {
    const config = manifest.parts.find(({ digest }) => digest === manifest.configDigest)
    if (config) add(configPath(manifest), config.size, config.digest)
  }
  const manifest = Buffer.from(JSON.stringify(images.map(itemOf)))
  const repositories = Buffer.from(JSON.stringify(repositoriesOf(images)))
  add('manifest.json', manifest.length, manifest)
  add('repositories', repositories.length, repositories)
  const size = [...members.values()].reduce((sum, { size }) => sum + blocksOf(size), tarEnd.length)
  const body = Readable.from(written(catalogue, members.values()), { objectMode: false, highWaterMark: 1 << 20 })
  return { size, body }

  function add(name: string, size: number, content: Buffer | Digest): void {
    members.set(name, { name, size, content })
  }
}

async function* written(
  catalogue: Pick<Catalogue, 'openBlob'>,
  members: Iterable<Member>,
): AsyncGenerator<Buffer, void, undefined> {
  for (const { name, size, content } of members) {
    if (typeof content !== 'string') {
      yield wholeFile(name, content)
      continue
    }
    yield fileHeader(name, size)
    const { body } = await catalogue.openBlob(content)
    yield* body as AsyncIterable<Buffer>
    yield filePadding(size)
  }
  yield tarEnd
}

function itemOf({ manifest, names }: WrittenImage) {
  return {
    Config: configPath(manifest),
    RepoTags: names.length > 0 ? names : null,
    Layers: layersOf(manifest).map(({ digest }) => layerPath(digest)),
  }
}

/** As clients before manifests read it: by repository and tag, the folder of the top layer. */
function repositoriesOf(images: readonly WrittenImage[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {}
  for (const { manifest, names } of images) {
    const top = layersOf(manifest).at(-1)
    if (!top) continue
    for (const name of names) {
      const colon = name.lastIndexOf(':')
      const repo = name.slice(0, colon)
      repositories[repo] = { ...repositories[repo], [name.slice(colon + 1)]: hexOf(top.digest) }
    }
  }
  return repositories
}

function configPath({ configDigest, digest }: Manifest): string {
  return `${hexOf(configDigest ?? digest)}.json`
}

function layerPath(digest: Digest): string {
  return `${hexOf(digest)}/layer.tar`
}

/** Short enough for a tar header, of whatever algorithm. */
function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1, digest.indexOf(':') + 65)
}

/** Header, content and padding. */
function blocksOf(size: number): number {
  return 512 + size + filePadding(size).length
}
