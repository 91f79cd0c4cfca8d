import { Readable } from 'node:stream'
import { BuildError, changedConfig, type ImageConfig } from '@gantry/dockerfile'
import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import { digestOfBytes } from '../catalogue/parse-manifest.ts'
import { ownPlatform } from '../catalogue/platform.ts'
import { addManifest, archiveSite, noteSizes, type SoundLayer } from './archive-site.ts'
import { asBadArchive, badArchive } from './bad-archive.ts'
import { manifestOf } from './docker-archive.ts'
import { sentByClient } from './sent-by-client.ts'
import { storeLayer } from './store-layer.ts'

export interface ImportOptions {
  /** What its history says. */
  readonly message: string
  /** Lines of a Dockerfile. */
  readonly changes: readonly string[]
}

/**
 * A tar of a file system, as it is or compressed with gzip or zstd, becomes an image of one layer, as `docker import` makes it; the
 * project holds it without a name. Throws `request.invalid` for what is no tar, and for changes that are none.
 */
export async function importFileSystem(
  deps: Pick<Deps, 'catalogue' | 'store' | 'clock'>,
  caller: Caller,
  tar: Readable,
  { message, changes }: ImportOptions,
  signal: AbortSignal,
): Promise<Manifest> {
  const config = configOf(changes)
  const layer = await layerOf(deps, caller, tar, signal)
  const [os = '', architecture = ''] = ownPlatform().split('/')
  const created = new Date(deps.clock.now()).toISOString()
  const content = Buffer.from(
    JSON.stringify({
      architecture,
      os,
      created,
      comment: message,
      config,
      history: [{ created, comment: message }],
      rootfs: { type: 'layers', diff_ids: [layer.unpacked.diffId] },
    }),
  )
  const site = archiveSite(deps, caller, signal)
  await deps.catalogue.addBlob(caller, Readable.from([content], { objectMode: false }), signal)
  await noteSizes(site, [layer])
  return await addManifest(site, manifestOf({ digest: digestOfBytes(content), size: content.length }, [layer]))
}

/** First, so that a mistake in it costs no upload. */
function configOf(changes: readonly string[]): ImageConfig {
  try {
    return changedConfig({}, changes)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    throw new Fault('request.invalid', { problem: `${error.message}.` }, error)
  }
}

async function layerOf(
  { catalogue }: Pick<Deps, 'catalogue'>,
  caller: Caller,
  tar: Readable,
  signal: AbortSignal,
): Promise<SoundLayer> {
  const source = sentByClient(tar, signal)
  try {
    const { digest, size, unpacked } = await storeLayer(catalogue, caller, source, signal)
    if ('problem' in unpacked) throw badArchive(`it is no tar (${unpacked.problem.replace(/\.$/, '')})`)
    return { digest, size, unpacked }
  } catch (error) {
    throw asBadArchive(error)
  } finally {
    void source.return(undefined)
  }
}
