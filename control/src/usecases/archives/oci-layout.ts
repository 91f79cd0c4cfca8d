import { mediaTypes } from '../catalogue/manifest-schemas.ts'
import { type ArchivedFile, type ArchiveIndex, isStrings, jsonOf, recordOf, textOf } from './archive-index.ts'
import { addManifest, type ArchiveSite, blobOf, layerOf, noteSizes } from './archive-site.ts'
import { badArchive, shown } from './bad-archive.ts'
import { diffIdsOf, mostImages, nameOf, notAsSaid } from './docker-archive.ts'
import type { ReadImage } from './read-archive.ts'

/** Indexes in indexes: real ones have none. */
const deepest = 2

interface Descriptor {
  readonly digest: string
  readonly mediaType: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** The images of an OCI image layout, by its `index.json`. Manifests come here byte for byte. */
export async function layoutImages(site: ArchiveSite, index: ArchiveIndex, top: unknown): Promise<ReadImage[]> {
  const named = descriptorsOf(recordOf(top)['manifests']).map((each) => ({ ...each, names: namesOf(each) }))
  let count = 0
  const images = new Map<string, ReadImage>()
  for (const { digest, mediaType, names } of named) {
    const known = images.get(digest)
    if (known) images.set(digest, { ...known, names: [...known.names, ...names] })
    else images.set(digest, { ...(await add(fileWith(digest), mediaType, 0)), names })
  }
  return [...images.values()]

  function fileWith(digest: string): ArchivedFile {
    const file = index.withDigest(digest)
    if (!file) throw badArchive(`${shown(digest)} is not in it`)
    return file
  }

  async function add(file: ArchivedFile, mediaType: string, depth: number): Promise<Omit<ReadImage, 'names'>> {
    count += 1
    if (count > mostImages || depth > deepest) throw badArchive('it has too many images')
    const { content } = textOf(file, file.digest)
    const json = recordOf(jsonOf(file, file.digest))
    const isIndex = Array.isArray(json['manifests'])
    if (isIndex) {
      // Of several platforms it may hold some.
      for (const child of descriptorsOf(json['manifests'])) {
        const there = index.withDigest(child.digest)
        if (there) await add(there, child.mediaType, depth + 1)
      }
    } else await addParts(json)
    const { digest } = await addManifest(site, { mediaType, content }, { partial: isIndex })
    return { digest, imageId: (await site.deps.catalogue.runnable(digest))?.configDigest ?? null }
  }

  async function addParts(manifest: Readonly<Record<string, unknown>>): Promise<void> {
    const [config] = descriptorsOf([manifest['config']])
    const layers = descriptorsOf(manifest['layers'])
    if (!config) throw badArchive('a manifest in it has no configuration')
    const configFile = fileWith(config.digest)
    await blobOf(site, configFile)
    const isImage = config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig
    const diffIds = isImage ? diffIdsOf(jsonOf(configFile, config.digest)) : []
    // Provenance that builders add looks like an image and has no layers that one could unpack.
    const areLayers = isImage && layers.every((each) => /\.(layer|rootfs)\./.test(each.mediaType))
    if (!areLayers) {
      for (const { digest } of layers) await blobOf(site, fileWith(digest))
      return
    }
    if (diffIds.length !== layers.length)
      throw badArchive(`${config.digest} and its manifest do not agree on the layers`)
    const stored = []
    for (const [at, { digest }] of layers.entries()) {
      const layer = await layerOf(site, fileWith(digest), digest)
      if (layer.unpacked.diffId !== diffIds[at]) throw notAsSaid(digest)
      stored.push(layer)
    }
    await noteSizes(site, stored)
  }
}

function descriptorsOf(list: unknown): Descriptor[] {
  if (!Array.isArray(list) || list.length > mostImages) throw badArchive('an index or manifest in it is no list')
  return list.map((each: unknown) => {
    const { digest, mediaType, annotations } = recordOf(each)
    if (!isStrings([digest, mediaType])) throw badArchive('a descriptor in it has no digest or media type')
    return { digest: String(digest), mediaType: String(mediaType), annotations: recordOf(annotations) }
  })
}

/** Where builders and engines write the whole name; the standard's own annotation may hold a tag only. */
function namesOf({ annotations }: Descriptor): string[] {
  const whole = annotations['io.containerd.image.name']
  const ref = annotations['org.opencontainers.image.ref.name']
  const name = typeof whole === 'string' ? whole : typeof ref === 'string' && /[/:]/.test(ref) ? ref : null
  return name === null ? [] : [nameOf(name)]
}
