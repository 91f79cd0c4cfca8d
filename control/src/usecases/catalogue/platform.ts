import { arch } from 'node:process'
import { architectureName } from '../../scheduling/architectures.ts'
import type { ManifestPart } from '../../ports/image-tables.ts'

/** What servers, and so most images of this cloud, are made for. */
export function ownArchitecture(): string {
  return architectureName(arch)
}

/** The platform containers run on here, as indexes of images write it. */
export function ownPlatform(): string {
  return `linux/${ownArchitecture()}`
}

/**
 * Of the images in an index, the one to run here: made for this platform (`linux/arm64/v8` is `linux/arm64`), else the only one.
 * undefined: there is none, or nobody could tell which.
 */
export function partForUs<P extends Pick<ManifestPart, 'platform'>>(images: readonly P[]): P | undefined {
  const own = ownPlatform()
  const fitting = images.find(({ platform }) => platform === own || platform?.startsWith(`${own}/`))
  return fitting ?? (images.length === 1 ? images[0] : undefined)
}
