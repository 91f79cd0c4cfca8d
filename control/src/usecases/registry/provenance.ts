import { Fault } from '@gantry/kernel'
import type { Caller, Image } from '@gantry/model'
import { layersOf } from '../../catalogue.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import type { Provenance } from '../../registry-verbs.ts'
import { keysOf, signaturesOf } from './signatures.ts'
import type { RegistryDeps } from './registry-deps.ts'

/** More containers than a project has. */
const all = 100_000

/** Where an image came from and who stands on it, as the caller's project may know it. */
export async function provenanceOf(deps: RegistryDeps, caller: Caller, image: Image): Promise<Provenance> {
  const { store, catalogue } = deps
  if (image.digest === null || image.kind === 'data') {
    const problem = `Image ${image.repo || image.id} has no layers: ${image.kind === 'data' ? 'it is kept as it was uploaded' : 'it has no content yet'}.`
    throw new Fault('request.invalid', { problem })
  }
  const manifest = await catalogue.manifest(image.digest)
  const runnable = await catalogue.runnable(image.digest)
  const hold = await store.contents.holdOf(image.projectId, image.repo, image.digest)
  const keys = await keysOf(deps, caller)
  const pusher = hold?.userId ?? image.userId
  const signatures = (await signaturesOf(deps, image)).map(async (signature) => ({
    digest: signature.digest,
    verified: keys === null ? null : await signature.isBy(keys),
  }))
  const platforms = new Set(manifest.parts.flatMap(({ platform }) => platform ?? []))
  return {
    mediaType: manifest.mediaType,
    platforms: platforms.size > 0 ? [...platforms] : platformOf(runnable),
    layers: runnable ? layersWithHistory(runnable) : [],
    pushedBy: pusher ? await deps.namespaces.userNameOf(pusher) : null,
    pushedAt: hold?.pushedAt ?? image.createdAt,
    usedBy: await usersOf(deps, caller, [image.digest, ...(runnable ? [runnable.digest] : [])]),
    signatures: await Promise.all(signatures),
  }
}

async function usersOf({ store }: RegistryDeps, { projectId }: Caller, digests: readonly string[]): Promise<string[]> {
  const query = { filters: {}, sortKey: 'name', descending: false, limit: all, marker: null } as const
  const containers = await store.containers.list(projectId, query)
  return containers.flatMap(({ name, imageManifest }) => (digests.includes(imageManifest ?? '') ? [name] : []))
}

interface Step {
  readonly created_by?: unknown
  readonly empty_layer?: unknown
}

/** As OCI's image configuration has it; whoever pushed it may have written anything. */
interface Config {
  readonly os?: unknown
  readonly architecture?: unknown
  readonly variant?: unknown
  readonly history?: unknown
}

function configOf({ config }: Manifest): Config {
  return config === null ? {} : (JSON.parse(config) as Config)
}

function platformOf(manifest: Manifest | null): string[] {
  const { os, architecture, variant } = manifest ? configOf(manifest) : {}
  if (typeof os !== 'string' || typeof architecture !== 'string') return []
  return [[os, architecture, ...(typeof variant === 'string' && variant !== '' ? [variant] : [])].join('/')]
}

/** Steps that made no layer are left out of the history; one that does not fit the layers tells nothing about them. */
function layersWithHistory(manifest: Manifest): Provenance['layers'] {
  const layers = layersOf(manifest)
  const { history } = configOf(manifest)
  const steps = (Array.isArray(history) ? history : []) as readonly (Step | null)[]
  const made = steps.filter((step) => step?.empty_layer !== true)
  return layers.map(({ digest, size }, position) => ({
    digest,
    bytes: size,
    createdBy: made.length === layers.length ? textIn(made[position]?.created_by) : '',
  }))
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
