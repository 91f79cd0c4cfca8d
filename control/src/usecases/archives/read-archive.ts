import type { Readable } from 'node:stream'
import type { Caller, Digest } from '@gantry/model'
import { type ArchiveDeps, archiveSite } from './archive-site.ts'
import { badArchive } from './bad-archive.ts'
import { dockerImages } from './docker-archive.ts'
import { layoutImages } from './oci-layout.ts'
import { readEntries } from './read-entries.ts'

/** An image of an archive, which the project holds now, without a name. */
export interface ReadImage {
  /** Of its manifest, or of its index. */
  readonly digest: Digest
  /** What engines call it; null: nothing in it runs here. */
  readonly imageId: string | null
  /** `repo:tag`, as the archive has them: for the project to use or not. */
  readonly names: readonly string[]
}

/**
 * Takes apart what `docker save`, `podman save` or a builder wrote: a Docker archive or an OCI layout, as it is or compressed with gzip
 * or zstd. Nothing in it is trusted. Throws `request.invalid` for what is no such archive, `quota.exceeded`.
 */
export async function readArchive(
  deps: ArchiveDeps,
  caller: Caller,
  tar: Readable,
  signal: AbortSignal,
): Promise<ReadImage[]> {
  const site = archiveSite(deps, caller, signal)
  const index = await readEntries(deps.catalogue, caller, tar, signal)
  const manifest = index.json('manifest.json')
  if (manifest !== undefined) return await dockerImages(site, index, manifest)
  const layout = index.json('index.json')
  if (layout !== undefined) return await layoutImages(site, index, layout)
  throw badArchive('it has no manifest.json (made by docker save?)')
}
