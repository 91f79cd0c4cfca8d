import type { Manifest, ManifestPart } from '../../ports/image-tables.ts'

export function isBlob({ kind }: Pick<ManifestPart, 'kind'>): boolean {
  return kind === 'blob'
}

export function isIndex({ mediaType }: Pick<Manifest, 'mediaType'>): boolean {
  return /\.(index\.v1|manifest\.list\.v2)\+json$/.test(mediaType)
}
