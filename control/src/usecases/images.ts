import { Fault, reasonOf } from '@gantry/kernel'
import { type Caller, formatImageName, type Image, type ImageId } from '@gantry/model'
import type { Images } from '../control.ts'
import type { Deps } from '../deps.ts'
import { removeRef } from './engine-images/image-rows.ts'
import { requireAdminFor } from './find-container.ts'
import { findHost, listHosts } from './hosts.ts'

const pullTimeoutMs = 30 * 60_000
const searchTimeoutMs = 20_000

export function imageUseCases(deps: Deps): Images {
  return {
    async list(caller, options = {}) {
      requireAdminFor(caller, options.allProjects === true, 'Listing all projects')
      const all = await deps.store.images.list(options.allProjects ? null : caller.projectId)
      // What has lost its name is for those to see who know images by ids.
      return all.filter(({ repo }) => repo !== '')
    },
    async get(caller, id) {
      const image = await deps.store.images.get(id)
      const visible = image && (image.projectId === null || image.projectId === caller.projectId || caller.isAdmin)
      if (!visible) throw new Fault('image.not-found', { image: id, reason: 'no image of that id is visible to you' })
      return image
    },
    async pull(caller, { repo, tag, host: hostRef }) {
      requireAdminFor(caller, true, 'Pulling an image to a host')
      const host = await findHost(deps, hostRef)
      const calls = deps.links.calls(host.id)
      const image: Image = {
        id: deps.ids.uuid() as ImageId,
        projectId: null,
        hostId: host.id,
        hostName: host.name,
        repo,
        tag,
        engineRef: formatImageName(repo, tag),
        imageId: null,
        size: null,
        createdAt: deps.clock.now(),
      }
      await deps.store.images.insert(image)
      void calls
        .imagePull({ engineRef: image.engineRef }, { signal: AbortSignal.timeout(pullTimeoutMs) })
        .then(({ reply: { imageId, size } }) => complete(deps, { ...image, imageId, size }))
        .catch(async (error: unknown) => {
          deps.log.warn({ image: image.engineRef, host: host.name, reason: reasonOf(error) }, 'image pull failed')
          await deps.store.images.remove(image.id)
        })
        // The next start forgets what was never completed.
        .catch((error: unknown) => deps.log.error({ image: image.id, reason: reasonOf(error) }, 'image not forgotten'))
      return image
    },
    async delete(caller, id) {
      const image = await this.get(caller, id)
      if (image.projectId !== caller.projectId) requireAdminFor(caller, true, 'Deleting an image of others')
      // Of a host that was removed there is nobody left to ask, and its name must not stand in the way for ever.
      if (await deps.store.hosts.get(image.hostId)) await removeFromHost(deps, caller, image)
      await deps.store.images.remove(image.id)
    },
    async search(caller, name, { exact }) {
      const wanted = name.toLowerCase()
      const images = await deps.store.images.list(caller.projectId)
      return images.filter((image) => {
        const repo = image.repo.toLowerCase()
        return exact ? repo === wanted || `${repo}:${image.tag}` === wanted : repo.includes(wanted)
      })
    },
    async searchRegistry(_caller, name) {
      const host = (await listHosts(deps)).find(({ connected }) => connected)
      if (!host) return []
      const signal = AbortSignal.timeout(searchTimeoutMs)
      return (await deps.links.calls(host.id).imageSearch({ term: name }, { signal })).reply.results
    },
  }
}

/** Public now; an earlier pull of the same name to the same host gives way. */
async function complete(deps: Deps, image: Image): Promise<void> {
  const { id, hostId, engineRef, imageId, size } = image
  await deps.store.transaction(async ({ images }) => {
    for (const other of await images.withRef(hostId, engineRef)) {
      if (other.projectId === null && other.id !== id) await images.remove(other.id)
      // The name is one for all, and so is what it means now.
      else await images.update(other.id, { imageId, size })
    }
  })
}

/** A public name stays while others stand on it, and for a user what the engine had before us; an administrator means it. */
async function removeFromHost(deps: Deps, caller: Caller, image: Image): Promise<void> {
  await removeRef(deps, image.projectId === null && caller.isAdmin ? { ...image, fetched: true } : image)
}
