import { Fault, reasonOf } from '@gantry/kernel'
import {
  type Caller,
  type Digest,
  dockerImage,
  formatImageName,
  type HostId,
  type Image,
  type ImageId,
} from '@gantry/model'
import { type ImageName, pulledFrom } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { ImageVerbs } from '../../image-verbs.ts'
import { bringImage, giveImage } from '../engine-images/giving.ts'
import { newName } from '../engine-images/names.ts'
import { requireAdminFor } from '../find-container.ts'
import { findHost } from '../hosts.ts'
import { unseen } from './image-sight.ts'

const pullMs = 30 * 60_000

/** Of another registry, for everybody. */
export function pullVerb(deps: Deps): Pick<ImageVerbs, 'pull'> {
  return {
    async pull(caller, { repo, tag, host }) {
      requireAdminFor(caller, true, 'Pulling an image to a host')
      const name = newName(repo, tag)
      const { id: hostId } = await findHost(deps, host)
      // Says at once that it is away.
      deps.links.calls(hostId)
      const image = await addEntry(deps, caller, name)
      void bring(deps, caller, { image, name, hostId }).catch(async (error: unknown) => {
        deps.log.warn({ image: image.name, host, reason: reasonOf(error) }, 'image pull failed')
        await forget(deps, image).catch((reason: unknown) =>
          deps.log.error({ image: image.id, reason: reasonOf(reason) }, 'image not forgotten'),
        )
      })
      return { ...image, ...name }
    },
  }
}

/** The next start forgets what was never completed. */
async function addEntry({ store, ids, clock, cluster }: Deps, caller: Caller, name: ImageName): Promise<Image> {
  const full = formatImageName(name.repo, name.tag)
  const now = clock.now()
  const image: Image = {
    id: ids.uuid() as ImageId,
    projectId: caller.projectId,
    userId: caller.userId,
    name: full,
    repo: '',
    tag: '',
    kind: 'image',
    status: 'saving',
    visibility: 'public',
    digest: null,
    imageId: null,
    size: null,
    bytes: null,
    pending: null,
    glance: { ...dockerImage, properties: { [pulledFrom]: full } },
    createdAt: now,
    updatedAt: now,
  }
  await store.transaction(async ({ images, duties }) => {
    await duties.begin('image', image.id, cluster.self)
    await images.insert(image)
  })
  return image
}

interface Errand {
  readonly image: Image
  readonly name: ImageName
  readonly hostId: HostId
}

async function bring(deps: Deps, caller: Caller, { image, name, hostId }: Errand): Promise<void> {
  const signal = AbortSignal.timeout(pullMs)
  const digest = await fetched(deps, caller, name, hostId, signal)
  await deps.store.transaction(async (tables) => {
    if (!(await tables.images.get(image.id))) throw unseen(image.id)
    const options = { row: image.id, visibility: 'public', displayName: null } as const
    await deps.catalogue.nameImageIn(tables, caller, name, digest, options)
    await tables.duties.end('image', image.id)
  })
  const runnable = await deps.catalogue.runnable(digest)
  if (!runnable) return
  // It is everybody's now, whether this host takes it or not.
  await bringImage(deps, hostId, runnable, signal).catch((error: unknown) =>
    deps.log.warn({ image: image.name, host: hostId, reason: reasonOf(error) }, 'image not brought to its host'),
  )
}

/** In a cloud that reaches no registry, what the host has by that name counts as pulled. */
async function fetched(
  deps: Deps,
  caller: Caller,
  name: ImageName,
  hostId: HostId,
  signal: AbortSignal,
): Promise<Digest> {
  try {
    return (await deps.catalogue.fetch(caller, name, null, () => undefined, signal)).digest
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'registry.unreachable') throw error
    deps.log.info({ image: formatImageName(name.repo, name.tag), reason: error.message }, 'asking the host instead')
    return (await giveImage(deps, caller, hostId, formatImageName(name.repo, name.tag), signal)).digest
  }
}

async function forget({ store }: Deps, { id }: Image): Promise<void> {
  await store.transaction(async ({ images, duties }) => {
    await duties.end('image', id)
    if ((await images.get(id))?.digest === null) await images.remove(id)
  })
}
