import type { ImageId } from '@gantry/model'
import type { Catalogue } from '../../catalogue.ts'
import type { Elsewhere } from '../../elsewhere.ts'
import type { Store } from '../../ports/store.ts'
import { seenImage } from '../images/image-sight.ts'

/** There is no other image service: what the catalogue has is what there is. */
export function nowhereElse(store: Store, find: Catalogue['find']): Elsewhere {
  const done = async () => undefined
  return {
    current: async (_caller, image) => image,
    async byId(caller, id) {
      const image = await store.images.get(id as ImageId)
      if (!image) return null
      // An administrator sees all images, and runs what her project may run.
      return seenImage(store, { ...caller, isAdmin: false }, image.id).catch(() => null)
    },
    ofProject: async (caller, owner, name) => {
      const rows = await store.images.list(caller.projectId, { ...name, memberStatus: 'all' })
      return (
        rows.find(({ projectId }) => projectId === owner) ?? (owner === caller.projectId ? find(caller, name) : null)
      )
    },
    withdraw: done,
    change: done,
    share: done,
    answer: done,
    unshare: done,
  }
}
