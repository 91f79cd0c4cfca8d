import { reasonOf } from '@gantry/kernel'
import { type ContainerId, type HostId, parseDigest } from '@gantry/model'
import type { CallReply } from '@gantry/wire'
import type { Deps } from '../../deps.ts'

const quickMs = 30_000

/** Only an engine that has unpacked an image knows how large its files are. */
export async function learnSizes(deps: Deps, { imageId, size, layers }: CallReply<'imageLook'>): Promise<void> {
  const sizes = layers.flatMap((layer) => {
    const diffId = parseDigest(layer.diffId)
    return diffId === null ? [] : [{ diffId, size: layer.size }]
  })
  if (sizes.length > 0) await deps.store.contents.setLayerSizes(sizes)
  await learnSize(deps, imageId, size)
}

/** For entries that do not know it by their layers. */
export async function learnSize({ store }: Pick<Deps, 'store'>, imageId: string, size: number): Promise<void> {
  await store.transaction(async ({ images }) => {
    for (const row of await images.list(null, { imageId })) {
      if (row.size === null) await images.update(row.id, { size })
    }
  })
}

/** A host has just pulled the image of a container. In the background: nothing but what people are shown hangs on it. */
export function learnOfPull(deps: Deps, hostId: HostId, id: ContainerId): void {
  const learn = async () => {
    const container = await deps.store.containers.get(id)
    if (!container || container.imageManifest === null) return
    const { imageRef } = container
    const entries = await deps.store.images.list(null, { imageId: imageRef })
    if (!entries.some(({ size }) => size === null)) return
    const options = { signal: AbortSignal.timeout(quickMs) }
    const { reply } = await deps.links.calls(hostId).imageLook({ engineRef: imageRef }, options)
    if (reply.imageId === imageRef) await learnSizes(deps, reply)
  }
  learn().catch((error: unknown) => {
    deps.log.info({ host: hostId, container: id, reason: reasonOf(error) }, 'size of a pulled image not learnt')
  })
}
