import { BoundedMap } from '@gantry/kernel'
import type { Container, Digest } from '@gantry/model'
import type { Tables } from '../ports/store.ts'
import { platformIn } from '../usecases/catalogue/runnable.ts'

/** Of manifests that were looked at, which never change; null: it does not say so. */
export type KnownArchitectures = BoundedMap<Digest, string | null>

const mostKnown = 10_000

export const noArchitectures = (): KnownArchitectures => new BoundedMap(mostKnown)

/** What these containers' images were made for. Nothing of those that the catalogue does not know, or that do not say so. */
export async function architecturesOf(
  { contents }: Pick<Tables, 'contents'>,
  together: readonly Pick<Container, 'imageManifest'>[],
  known = noArchitectures(),
): Promise<string[]> {
  const found = new Set<string>()
  for (const { imageManifest: digest } of together) {
    if (digest === null) continue
    let architecture = known.get(digest)
    if (architecture === undefined) {
      const manifest = await contents.manifest(digest)
      architecture = (manifest && platformIn(manifest)?.split('/')[1]) ?? null
      known.set(digest, architecture)
    }
    if (architecture !== null) found.add(architecture)
  }
  return [...found].sort()
}
