import { Fault } from '@gantry/kernel'
import type { Digest, ProjectId } from '@gantry/model'
import type { Catalogue } from '../../catalogue.ts'
import type { Manifest, ManifestPart } from '../../ports/image-tables.ts'
import type { Tables } from '../../ports/store.ts'
import { enforceQuota } from '../../quotas/enforce.ts'
import type { Blobs } from './blobs.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { isBlob } from './manifest-kinds.ts'
import { manifestChecks } from './manifest-schemas.ts'
import { type ParsedManifest, parseManifest } from './parse-manifest.ts'
import { runnableOf } from './runnable.ts'

type ManifestVerbs = Pick<Catalogue, 'addManifest' | 'manifest' | 'runnable'> & {
  readonly parse: (given: { readonly mediaType: string; readonly content: Buffer }) => ParsedManifest
}

/** Manifests: read, checked against what the project has, and held. */
export function manifestVerbs({ store, blobs: files, clock }: CatalogueDeps, blobs: Blobs): ManifestVerbs {
  const checks = manifestChecks()

  /** A Fault is kept until it is known that the project may see the blob at all. */
  async function configOf({ configDigest }: ParsedManifest): Promise<string | Fault | null> {
    if (configDigest === null) return null
    try {
      const text = (await blobs.readBlob(configDigest)).toString('utf8')
      return isObject(text) ? text : invalid('its configuration is no JSON object')
    } catch (error) {
      if (error instanceof Fault) return error
      throw error
    }
  }

  return {
    parse: (given) => parseManifest(checks, given),
    async addManifest({ caller, repo }, given, { partial = false } = {}) {
      const { projectId, userId } = caller
      const parsed = parseManifest(checks, given)
      const { kind, optional, ...rest } = parsed
      const inStore = new Set<Digest>()
      for (const part of parsed.parts) {
        if (part.kind === 'blob' && (await files.stat(part.digest))) inStore.add(part.digest)
      }
      const config = await configOf(parsed)
      return store.transaction(async (tables) => {
        const parts: ManifestPart[] = []
        for (const part of parsed.parts) {
          const hasIt =
            part.kind === 'blob'
              ? inStore.has(part.digest) && (await hasBlob(tables, blobs, projectId, part))
              : await hasChild(tables, blobs, projectId, part)
          if (hasIt) parts.push(part)
          else if (!optional.has(part.digest) && !(kind === 'index' && partial)) {
            throw new Fault('manifest.blob-unknown', { digest: part.digest })
          }
        }
        if (config instanceof Fault) throw config
        const manifest = await put(tables, { ...rest, config, parts }, parsed.parts)
        if (!(await tables.contents.holdOf(projectId, repo, manifest.digest))) {
          await enforceQuota(tables, projectId, { imageBytes: manifest.size })
        }
        await tables.contents.hold({ projectId, repo, digest: manifest.digest, userId, pushedAt: clock.now() })
        return manifest
      })
    },
    async manifest(digest) {
      const found = await store.contents.manifest(digest)
      if (!found) throw new Fault('manifest.unknown', { reference: digest, repository: 'the catalogue' })
      return found
    },
    runnable: (digest) => runnableOf(store, digest),
  }
}

async function hasBlob(tables: Tables, blobs: Blobs, projectId: ProjectId, part: ManifestPart): Promise<boolean> {
  const held = await blobs.holdIn(tables, projectId, part.digest)
  if (held && held.size !== part.size) throw wrongSize(part, held.size)
  return held !== null
}

/** A manifest in an index brings with it what it is made of. */
async function hasChild(tables: Tables, blobs: Blobs, projectId: ProjectId, part: ManifestPart): Promise<boolean> {
  const { contents } = tables
  const child = await contents.manifest(part.digest)
  if (!child || !(await contents.isVisible(projectId, part.digest))) return false
  if (child.size !== part.size) throw wrongSize(part, child.size)
  await holdAll(tables, blobs, projectId, await contents.closure(part.digest))
  return true
}

/** The project has all blobs of these manifests, which it may see. */
export async function holdAll(
  tables: Tables,
  blobs: Blobs,
  projectId: ProjectId,
  manifests: readonly Manifest[],
): Promise<void> {
  const digests = new Set(manifests.flatMap(({ parts }) => parts.filter(isBlob).map(({ digest }) => digest)))
  for (const digest of digests) await blobs.holdIn(tables, projectId, digest, true)
}

/**
 * Only parts that somebody could see who brought the manifest are parts of it here: to name a digest in an index must not be enough to
 * see what has it. So an index may get more parts when it comes again.
 */
async function put({ contents }: Tables, manifest: Manifest, named: readonly ManifestPart[]): Promise<Manifest> {
  const known = await contents.manifest(manifest.digest)
  const digests = new Set([...manifest.parts, ...(known?.parts ?? [])].map(({ digest }) => digest))
  const whole = { ...manifest, parts: named.filter(({ digest }) => digests.has(digest)) }
  if (known && known.parts.length < whole.parts.length) await contents.removeManifest(known.digest)
  await contents.putManifest(whole)
  return whole
}

function isObject(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json)
  } catch {
    return false
  }
}

function wrongSize({ digest, size }: ManifestPart, actual: number): Fault {
  return invalid(`it says that ${digest} has ${size} bytes, which has ${actual}`)
}

function invalid(problem: string): Fault {
  return new Fault('manifest.invalid', { problem })
}
