import { Readable } from 'node:stream'
import type { Caller, Digest } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import type { ArchivedFile } from './archive-index.ts'
import { badArchive, shown } from './bad-archive.ts'
import { type StoredLayer, storeLayer, type UnpackedLayer } from './store-layer.ts'

export type ArchiveDeps = Pick<Deps, 'catalogue' | 'store'>

/** Where the parts of an archive go: for whom, and until when; and what is there already. */
export interface ArchiveSite {
  readonly deps: ArchiveDeps
  readonly caller: Caller
  readonly signal: AbortSignal
  readonly stowed: Map<ArchivedFile, StoredLayer>
  readonly noted: Set<Digest>
}

export function archiveSite(deps: ArchiveDeps, caller: Caller, signal: AbortSignal): ArchiveSite {
  return { deps, caller, signal, stowed: new Map(), noted: new Set() }
}

export type SoundLayer = StoredLayer & { readonly unpacked: UnpackedLayer }

/** The file as a layer that is a blob. Throws `request.invalid` if it is none. */
export async function layerOf(site: ArchiveSite, file: ArchivedFile, path: string): Promise<SoundLayer> {
  const stored = await stow(site, file)
  const { unpacked } = stored
  if ('problem' in unpacked) throw badArchive(`${shown(path)} is no layer (${unpacked.problem.replace(/\.$/, '')})`)
  return { digest: stored.digest, size: stored.size, unpacked }
}

/** As a blob, whatever it is. */
export async function blobOf(site: ArchiveSite, file: ArchivedFile): Promise<void> {
  await stow(site, file)
}

export async function addManifest(
  { deps, caller }: ArchiveSite,
  manifest: { readonly mediaType: string; readonly content: Buffer },
  options: { readonly partial?: boolean } = {},
): Promise<Manifest> {
  return await deps.catalogue.addManifest({ caller, repo: '' }, manifest, options)
}

/** So that nobody need unpack an image to say how large it is. */
export async function noteSizes({ deps, noted }: ArchiveSite, layers: readonly SoundLayer[]): Promise<void> {
  const fresh = new Map<Digest, number>()
  for (const { unpacked } of layers) if (!noted.has(unpacked.diffId)) fresh.set(unpacked.diffId, unpacked.filesSize)
  for (const diffId of fresh.keys()) noted.add(diffId)
  await deps.store.contents.setLayerSizes([...fresh].map(([diffId, size]) => ({ diffId, size })))
}

/** Once, however often it is asked for. */
async function stow({ deps, caller, signal, stowed }: ArchiveSite, file: ArchivedFile): Promise<StoredLayer> {
  if (file.kind === 'stored') return file
  const known = stowed.get(file)
  if (known) return known
  const body = Readable.from([file.content], { objectMode: false })
  const stored = await storeLayer(deps.catalogue, caller, body, signal)
  stowed.set(file, stored)
  return stored
}
