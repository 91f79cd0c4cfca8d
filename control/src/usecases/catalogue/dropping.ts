import { reasonOf } from '@gantry/kernel'
import type { Digest, HostId, Image, ProjectId } from '@gantry/model'
import type { Catalogue } from '../../catalogue.ts'
import type { Tables } from '../../ports/store.ts'
import type { Blobs } from './blobs.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { isBlob } from './manifest-kinds.ts'
import { isMeant, releaseUnneeded } from './releasing.ts'

/** How long a host may take to forget copies. Milliseconds. */
const forgetMs = 60_000

/** Content that a project let go of. */
interface LetGo {
  readonly manifests: ReadonlySet<Digest>
  readonly blobs: ReadonlySet<Digest>
  /** Nobody has asked for any of it since; epoch milliseconds. */
  readonly usedBefore: number
}

/** See `Catalogue.dropImages`. */
export function droppingVerb(deps: CatalogueDeps, blobs: Blobs): Pick<Catalogue, 'dropImages'> {
  const { store } = deps
  return {
    async dropImages(images) {
      if (images.length === 0) return
      const gone = await store.transaction(async (tables) => {
        for (const { id } of images) await tables.images.remove(id)
        const letGo: LetGo[] = []
        for (const [projectId, rows] of Map.groupBy(images, (image) => image.projectId)) {
          letGo.push(await letGoOf(tables, projectId, rows))
        }
        await removeUnheldManifests(
          tables,
          letGo.flatMap(({ manifests }) => [...manifests]),
        )
        return letGo
      })
      for (const { blobs: digests, usedBefore } of gone) await blobs.free(digests, usedBefore)
      inBackground(deps, images)
    },
  }
}

async function letGoOf(tables: Tables, projectId: ProjectId, images: readonly Image[]): Promise<LetGo> {
  const { contents } = tables
  const digests = new Set<Digest>()
  const unneeded = new Set<Digest>()
  let usedAt = 0
  for (const { digest, kind, repo, updatedAt } of images) {
    if (digest === null) continue
    if (kind === 'data') {
      digests.add(digest)
      usedAt = Math.max(usedAt, updatedAt)
      continue
    }
    const manifests = await contents.closure(digest)
    for (const { parts } of manifests) for (const part of parts.filter(isBlob)) digests.add(part.digest)
    const own = manifests.map((each) => each.digest)
    for (const each of own) unneeded.add(each)
    const released = await releaseUnneeded(tables, projectId, own, [repo, ''])
    // What names that moved on have left in other repositories goes with the last name.
    const unmeant: Digest[] = []
    for (const each of own) if (!(await isMeant(tables, projectId, each))) unmeant.push(each)
    released.push(...(await releaseUnneeded(tables, projectId, unmeant, 'every')))
    for (const hold of released) {
      unneeded.add(hold.digest)
      usedAt = Math.max(usedAt, hold.pushedAt)
      const said = await contents.manifest(hold.digest)
      for (const part of said?.parts.filter(isBlob) ?? []) digests.add(part.digest)
    }
  }
  const usedBefore = usedAt + 1
  const idle = (await contents.idleBlobs(projectId, usedBefore)).filter((each) => digests.has(each))
  for (const digest of idle) await contents.releaseBlob(projectId, digest)
  return { manifests: unneeded, blobs: digests, usedBefore }
}

/** What was put and is held by nobody can only have been let go: both are written at once. `among`: of these; absent: of all. */
export async function removeUnheldManifests({ contents }: Tables, among?: Iterable<Digest>): Promise<Digest[]> {
  const unheld = await contents.unheldManifests(among)
  for (const digest of unheld) await contents.removeManifest(digest)
  return unheld
}

/** Hosts that are not connected are told when they are again. */
function inBackground(deps: CatalogueDeps, images: readonly Image[]): void {
  const imageIds = [...new Set(images.flatMap(({ imageId }) => imageId ?? []))]
  void forgetCopies(deps, imageIds).catch((error: unknown) => {
    deps.log.warn({ reason: reasonOf(error) }, 'hosts not told which images are gone')
  })
}

async function forgetCopies(deps: CatalogueDeps, imageIds: readonly string[]): Promise<void> {
  const gone: string[] = []
  for (const imageId of imageIds) if (!(await deps.store.images.hasImageId(imageId))) gone.push(imageId)
  if (gone.length === 0) return
  for (const { id } of await deps.store.hosts.list()) {
    if (deps.links.connected(id)) await forgetOn(deps, id, gone)
  }
}

/** A host that fails is no reason not to tell the others. */
export async function forgetOn({ links, log }: CatalogueDeps, hostId: HostId, imageIds: string[]): Promise<void> {
  try {
    await links.calls(hostId).imageForget({ imageIds }, { signal: AbortSignal.timeout(forgetMs) })
  } catch (error) {
    log.warn({ host: hostId, reason: reasonOf(error) }, 'host did not forget images that are gone')
  }
}
