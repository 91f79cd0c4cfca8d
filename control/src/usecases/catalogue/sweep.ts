import { reasonOf } from '@gantry/kernel'
import type { Digest, HostId } from '@gantry/model'
import type { Catalogue, Swept } from '../../catalogue.ts'
import type { Tables } from '../../ports/store.ts'
import type { Blobs } from './blobs.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { forgetOn, removeUnheldManifests } from './dropping.ts'
import { isNeeded } from './releasing.ts'

/** How long a host may take to say what it keeps. Milliseconds. */
const askMs = 30_000

/** See `Catalogue.sweep`. Each step finds by itself what there is to do, so that one that was cut off is only done again. */
export function sweepVerb(deps: CatalogueDeps, blobs: Blobs): Pick<Catalogue, 'sweep' | 'tellHost'> {
  const { store, blobs: files, clock, policy, log } = deps
  let last: Promise<unknown> = Promise.resolve()

  async function endUploads(signal: AbortSignal): Promise<void> {
    const now = clock.now()
    for (const { id } of await store.uploads.stale(now - policy.uploadLifeMs)) {
      signal.throwIfAborted()
      await files.abort(id)
      await store.uploads.remove(id)
    }
    for await (const { id, changedAt } of files.uploads()) {
      signal.throwIfAborted()
      const isLeft = changedAt < now - policy.imageGraceMs && !blobs.own.has(id) && !(await store.uploads.get(id))
      if (isLeft) await files.abort(id)
    }
  }

  /** What was brought here and never named, and what was let go while somebody else had just asked for it. */
  async function release(signal: AbortSignal): Promise<void> {
    const before = clock.now() - policy.imageGraceMs
    for (const projectId of await store.contents.holders()) {
      signal.throwIfAborted()
      await store.transaction(async (tables) => {
        const { contents } = tables
        for (const hold of await contents.holds(projectId, '')) {
          const isLeft = hold.pushedAt < before && !(await isNeeded(tables, hold))
          if (isLeft) await contents.release(projectId, hold.repo, hold.digest)
        }
        // While something is under way, what was sent first may be older than any grace.
        const isBusy =
          [...blobs.own.values()].includes(projectId) || (await tables.uploads.ofProject(projectId)).length > 0
        if (isBusy) return
        for (const digest of await contents.idleBlobs(projectId, before)) await contents.releaseBlob(projectId, digest)
      })
    }
  }

  async function freeBlobs(signal: AbortSignal): Promise<{ blobs: number; bytes: number }> {
    const before = clock.now() - policy.imageGraceMs
    const freed = { blobs: 0, bytes: 0 }
    for (const digest of await store.contents.unheldBlobs(before)) {
      signal.throwIfAborted()
      const { blobs: count, bytes } = await blobs.free([digest], before)
      freed.blobs += count
      freed.bytes += bytes
    }
    for await (const { digest, size, changedAt } of files.blobs()) {
      signal.throwIfAborted()
      if (changedAt >= before || (await store.contents.blob(digest))) continue
      if (await blobs.removeStray(digest)) {
        freed.blobs += 1
        freed.bytes += size
      }
    }
    return freed
  }

  /** Lost, or set aside because it did not fit its digest any more: pushing it again heals it. */
  async function tellMissing(signal: AbortSignal): Promise<void> {
    for (const digest of await store.contents.blobs()) {
      signal.throwIfAborted()
      const isMissing = !(await files.stat(digest)) && (await store.contents.blob(digest))
      if (isMissing) log.error({ digest }, 'content of an image is missing in the store; push it again')
    }
  }

  async function tellHost(hostId: HostId, signal: AbortSignal): Promise<void> {
    const gone = await goneCopies(deps, hostId, signal)
    if (gone.length > 0) await forgetOn(deps, hostId, gone)
  }

  /** Copies of images that were let go while their host did not hear it. */
  async function tellHosts(signal: AbortSignal): Promise<void> {
    for (const { id } of await store.hosts.list()) {
      signal.throwIfAborted()
      if (deps.links.connected(id)) await tellHost(id, signal)
    }
  }

  async function sweep(signal: AbortSignal): Promise<Swept> {
    await endUploads(signal)
    await release(signal)
    const manifests = await store.transaction((tables: Tables): Promise<Digest[]> => removeUnheldManifests(tables))
    const freed = await freeBlobs(signal)
    await tellMissing(signal)
    await tellHosts(signal)
    const swept = { manifests: manifests.length, ...freed }
    if (swept.manifests + swept.blobs > 0) log.info(swept, 'content that nobody needs was freed')
    return swept
  }

  return {
    tellHost,
    sweep(signal) {
      const next = last.then(() => sweep(signal))
      last = next.catch(() => undefined)
      return next
    },
  }
}

async function goneCopies(
  { store, links, log }: CatalogueDeps,
  hostId: HostId,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const ask = { signal: AbortSignal.any([signal, AbortSignal.timeout(askMs)]) }
    const { reply } = await links.calls(hostId).imageCopies({}, ask)
    const gone: string[] = []
    for (const id of reply.imageIds) if (!(await store.images.hasImageId(id))) gone.push(id)
    return gone
  } catch (error) {
    log.warn({ host: hostId, reason: reasonOf(error) }, 'host did not say which images it keeps')
    return []
  }
}
