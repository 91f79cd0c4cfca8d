import { familiarRepo, isRepositoryName, isTag, parseImageName, registryOf } from '@gantry/model'
import { Fault } from '@gantry/kernel'
import { mediaTypes } from '../catalogue/manifest-schemas.ts'
import { type ArchiveIndex, isStrings, jsonOf, type KeptFile, recordOf, textOf } from './archive-index.ts'
import { addManifest, type ArchiveSite, blobOf, layerOf, noteSizes, type SoundLayer } from './archive-site.ts'
import { badArchive, shown } from './bad-archive.ts'
import type { ReadImage } from './read-archive.ts'

export const mostImages = 1000
/** Of all images of an archive together. */
const mostLayers = 20_000
const mostNames = 5000
const validRegistry = /^([A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?)?$/

/** What `manifest.json` says of one image. */
interface Item {
  readonly configPath: string
  readonly config: KeptFile
  readonly layers: readonly string[]
  readonly names: readonly string[]
}

/** The images of an archive as `docker save` makes it. All are looked at before the first is added. */
export async function dockerImages(site: ArchiveSite, index: ArchiveIndex, list: unknown): Promise<ReadImage[]> {
  if (!Array.isArray(list) || list.length > mostImages) throw badArchive('its manifest.json is no list of images')
  const ready: { item: Item; layers: readonly SoundLayer[] }[] = []
  const items = list.map((each: unknown) => itemOf(index, each))
  const count = (parts: (item: Item) => readonly string[]) => items.reduce((sum, item) => sum + parts(item).length, 0)
  if (count(({ layers }) => layers) > mostLayers || count(({ names }) => names) > mostNames) {
    throw badArchive('its images have too many layers or names')
  }
  for (const item of items) {
    ready.push({ item, layers: await checkedLayers(site, index, item) })
  }
  const images: ReadImage[] = []
  for (const { item, layers } of ready) images.push(await addImage(site, item, layers))
  return images
}

function itemOf(index: ArchiveIndex, item: unknown): Item {
  const { Config: configPath, Layers: layers, RepoTags: tags } = recordOf(item)
  if (typeof configPath !== 'string' || !isStrings(layers ?? []) || !isStrings(tags ?? [])) {
    throw badArchive('its manifest.json is not as docker save writes it')
  }
  return {
    configPath,
    config: textOf(index.find(configPath), configPath),
    layers: (layers ?? []) as readonly string[],
    names: ((tags ?? []) as readonly string[]).map(nameOf),
  }
}

/** Whoever names a layer must have it: what the config says of it is held against what was in the archive. */
async function checkedLayers(site: ArchiveSite, index: ArchiveIndex, item: Item): Promise<SoundLayer[]> {
  const diffIds = diffIdsOf(jsonOf(item.config, item.configPath))
  if (diffIds.length !== item.layers.length) {
    throw badArchive(`${shown(item.configPath)} and manifest.json do not agree on the layers`)
  }
  const layers: SoundLayer[] = []
  for (const [at, path] of item.layers.entries()) {
    const layer = await layerOf(site, index.find(path), path)
    if (layer.unpacked.diffId !== diffIds[at]) throw notAsSaid(path)
    layers.push(layer)
  }
  return layers
}

async function addImage(site: ArchiveSite, item: Item, layers: readonly SoundLayer[]): Promise<ReadImage> {
  await blobOf(site, item.config)
  await noteSizes(site, layers)
  const { digest, content } = item.config
  const manifest = await addManifest(site, manifestOf({ digest, size: content.length }, layers))
  return { digest: manifest.digest, imageId: digest, names: item.names }
}

/** In Docker's own words, but for what only the OCI has a word for. */
export function manifestOf(
  config: { readonly digest: string; readonly size: number },
  layers: readonly SoundLayer[],
): { mediaType: string; content: Buffer } {
  const isDocker = layers.every(({ unpacked }) => unpacked.compression !== 'zstd')
  const layerType = isDocker ? 'application/vnd.docker.image.rootfs.diff.tar' : 'application/vnd.oci.image.layer.v1.tar'
  const join = isDocker ? '.' : '+'
  const mediaType = isDocker ? mediaTypes.dockerManifest : mediaTypes.ociManifest
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: isDocker ? mediaTypes.dockerConfig : mediaTypes.ociConfig,
      size: config.size,
      digest: config.digest,
    },
    layers: layers.map(({ digest, size, unpacked: { compression } }) => ({
      mediaType: compression === 'none' ? layerType : `${layerType}${join}${compression}`,
      size,
      digest,
    })),
  }
  return { mediaType, content: Buffer.from(JSON.stringify(manifest)) }
}

export function diffIdsOf(config: unknown): readonly string[] {
  const { diff_ids: diffIds } = recordOf(recordOf(config)['rootfs'])
  if (!isStrings(diffIds ?? [])) throw badArchive('the configuration of an image does not say what its layers are')
  return (diffIds ?? []) as readonly string[]
}

export function notAsSaid(path: string): Fault {
  return badArchive(`layer ${shown(path)} is not what its image says it is`)
}

/** `repo:tag`, as people write it. Throws `request.invalid` for what is no name of an image. */
export function nameOf(text: string): string {
  const { repo, tag } = parseImageName(text)
  const familiar = familiarRepo(repo)
  const registry = registryOf(familiar)
  const path = registry === '' ? familiar : familiar.slice(registry.length + 1)
  if (!isRepositoryName(path) || !isTag(tag) || !validRegistry.test(registry)) {
    throw new Fault('request.invalid', { problem: `${shown(text)} in the archive is not a valid image name.` })
  }
  return `${familiar}:${tag}`
}
