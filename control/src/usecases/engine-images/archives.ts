import { Fault, type Turns } from '@gantry/kernel'
import { type Caller, formatImageName } from '@gantry/model'
import type { ImageName } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import { importFileSystem } from '../archives/import-file-system.ts'
import { type ReadImage, readArchive } from '../archives/read-archive.ts'
import { type WrittenImage, writeArchive } from '../archives/write-archive.ts'
import type { OpenStreams } from '../open-streams.ts'
import { manifestOf } from './look.ts'
import { nameOf, newName } from './names.ts'
import { progressOf } from './progress-lines.ts'
import { findImage, imagesOf, type KnownImage } from './project-images.ts'

type ArchiveVerbs = Pick<EngineImages, 'save' | 'load' | 'import'>

/** Images as archives, out and in: on the server, with no host. */
export function archiveVerbs(deps: Deps, streams: OpenStreams, turns: Turns): ArchiveVerbs {
  /** Something comes in; it counts as one of the project's streams for as long as it does. */
  const reading = <T>({ projectId }: Caller, read: () => Promise<T>): Promise<T> =>
    streams.opening(projectId, read, () => null)
  return {
    async save(caller, names) {
      if (names.length === 0) throw new Fault('request.invalid', { problem: 'No image was named.' })
      const images = await imagesOf(deps, caller)
      const wanted = await Promise.all(names.map((name) => wantedOf(deps, caller, images, name)))
      const written = await Promise.all(merged(wanted.flat()).map((each) => writtenOf(deps, each)))
      const open = async () => writeArchive(deps.catalogue, written).body
      return streams.opening(caller.projectId, open, (body) => body)
    },
    async load(caller, tar, _options, signal) {
      const read = await reading(caller, () => readArchive(deps, caller, tar, signal))
      const named = read.map((image) => ({ ...image, names: image.names.map(archivedName) }))
      const lines = await turns.take(caller.projectId, async () => {
        const told: object[] = []
        for (const image of named) told.push(...(await keepLoaded(deps, caller, image)))
        return told
      })
      return progressOf(lines)
    },
    async import(caller, tar, { repo, tag, message, changes }, signal) {
      const name = repo === null ? null : newName(repo, tag)
      const options = { message, changes }
      const manifest = await reading(caller, () => importFileSystem(deps, caller, tar, options, signal))
      const { projectId } = caller
      await turns.take(projectId, () => deps.catalogue.nameImage(caller, name, manifest.digest))
      const id = manifest.configDigest ?? manifest.digest
      deps.activity.note({ type: 'image', action: 'import', id, projectId, attributes: {} })
      return id
    },
  }
}

interface Wanted {
  readonly image: KnownImage
  readonly names: readonly string[]
}

/** A name without a tag means all that the project has of it; an id means the image without names. */
async function wantedOf(deps: Deps, caller: Caller, images: readonly KnownImage[], text: string): Promise<Wanted[]> {
  const hasTag = text.includes('@') || text.lastIndexOf(':') > text.lastIndexOf('/')
  const { repo, tag } = nameOf(text)
  const tagged = hasTag
    ? []
    : images.flatMap((image) => {
        const names = image.names.filter((name) => nameOf(name).repo === repo)
        return names.length > 0 ? [{ image, names }] : []
      })
  if (tagged.length > 0) return tagged
  const { image, row } = await findImage(deps, caller, text)
  return [{ image, names: row && !tag.includes(':') ? [formatImageName(repo, tag)] : [] }]
}

function merged(wanted: readonly Wanted[]): Wanted[] {
  return [...Map.groupBy(wanted, ({ image }) => image.imageId).values()].flatMap((same) => {
    const [first] = same
    return first ? [{ image: first.image, names: [...new Set(same.flatMap(({ names }) => names))] }] : []
  })
}

async function writtenOf(deps: Deps, { image, names }: Wanted): Promise<WrittenImage> {
  return { manifest: await manifestOf(deps, image), names }
}

/** As users say it: an archive may say it with Docker Hub's domain. */
function archivedName(text: string): ImageName {
  const { repo, tag } = nameOf(text)
  return newName(repo, tag)
}

type LoadedImage = Omit<ReadImage, 'names'> & { readonly names: readonly ImageName[] }

async function keepLoaded(
  { catalogue, activity }: Deps,
  caller: Caller,
  { digest, imageId, names }: LoadedImage,
): Promise<object[]> {
  const id = imageId ?? digest
  const { projectId } = caller
  if (names.length === 0) await catalogue.nameImage(caller, null, digest)
  for (const name of names) await catalogue.nameImage(caller, name, digest)
  const said = names.map(({ repo, tag }) => formatImageName(repo, tag))
  for (const name of said.length > 0 ? said : [id]) {
    activity.note({ type: 'image', action: 'load', id, projectId, attributes: { name } })
  }
  if (said.length === 0) return [{ stream: `Loaded image ID: ${id}\n` }]
  return said.map((name) => ({ stream: `Loaded image: ${name}\n` }))
}
