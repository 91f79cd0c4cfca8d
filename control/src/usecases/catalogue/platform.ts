import { arch } from 'node:process'
import type { ManifestPart } from '../../ports/image-tables.ts'

/** Go's names for architectures, which images use, where they are not Node's. */
const names: Readonly<Partial<Record<string, string>>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  loong64: 'loong64',
}

/** The platform containers run on here, as indexes of images write it. */
export function ownPlatform(): string {
  return `linux/${names[arch] ?? arch}`
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
