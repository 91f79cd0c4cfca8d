import type { Readable } from 'node:stream'
import type { Caller, Digest, Image, ImageId } from '@gantry/model'
import type { ImageName } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import { importFileSystem } from '../archives/import-file-system.ts'
import { hasIndex, sniffed } from '../archives/sniff-archive.ts'
import { type ReadImage, readArchive } from '../archives/read-archive.ts'
import { nameOf, newName } from '../engine-images/names.ts'
import { badArchive } from '../archives/bad-archive.ts'
import { catalogueName } from './catalogue-name.ts'
import { unseen } from './image-sight.ts'

type Uploaded = Pick<ReadImage, 'digest' | 'names'>

/** The images in an uploaded tar; one of a file system is an image of one layer. They are the project's, without names. */
export async function takeApart(
  deps: Pick<Deps, 'catalogue' | 'store' | 'clock'>,
  caller: Caller,
  tar: Readable,
  signal: AbortSignal,
): Promise<readonly Uploaded[]> {
  const { isArchive, body } = await sniffed(tar)
  if (isArchive) return readArchive(deps, caller, body, signal)
  // What it is, is known only when all of it has come.
  const { digest, size } = await deps.catalogue.addBlob(caller, body, signal)
  if (size === 0) throw badArchive('it is empty')
  const again = async () => (await deps.catalogue.openBlob(digest)).body
  if (!(await hasIndex(await again(), signal))) {
    const options = { message: 'Uploaded as a file system', changes: [] }
    const manifest = await importFileSystem(deps, caller, await again(), options, signal)
    return [{ digest: manifest.digest, names: [] }]
  }
  const read = await readArchive(deps, caller, await again(), signal)
  await letGo(deps, caller, digest)
  return read
}

/** The archive itself is no part of what was in it. */
async function letGo(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  { projectId }: Caller,
  digest: Digest,
): Promise<void> {
  await store.transaction(async ({ contents }) => {
    const idle = await contents.idleBlobs(projectId, clock.now() + 1)
    if (idle.includes(digest)) await contents.releaseBlob(projectId, digest)
  })
}

/** The first image is the entry's, by the entry's name; the others are called as the archive says. */
export async function keepImages(
  deps: Deps,
  caller: Caller,
  id: ImageId,
  [first, ...others]: readonly Uploaded[],
): Promise<Image> {
  const { store, catalogue } = deps
  if (!first) throw badArchive('there is no image in it')
  const [said, ...alsoSaid] = first.names.map(archivedName)
  const named = others.map(({ digest, names }) => ({ digest, names: names.map(archivedName) }))
  const image = await store.transaction(async (tables) => {
    const row = await tables.images.get(id)
    // It was deleted meanwhile, and a sweep takes what came.
    if (row?.status !== 'saving' || row.digest !== null) throw unseen(id)
    const name = row.name ? catalogueName(deps, row.name) : (said ?? null)
    const further = row.name ? [] : alsoSaid
    const kept = await catalogue.nameImageIn(tables, caller, name, first.digest, { row: id })
    for (const each of further) await catalogue.nameImageIn(tables, caller, each, first.digest)
    for (const { digest, names } of named) {
      if (names.length === 0) await catalogue.nameImageIn(tables, caller, null, digest)
      for (const each of names) await catalogue.nameImageIn(tables, caller, each, digest)
    }
    return kept
  })
  const { projectId } = caller
  const attributes = { name: image.repo === '' ? image.id : `${image.repo}:${image.tag}` }
  deps.activity.note({ type: 'image', action: 'load', id: image.imageId ?? image.id, projectId, attributes })
  return image
}

function archivedName(text: string): ImageName {
  const { repo, tag } = nameOf(text)
  return newName(repo, tag)
}
