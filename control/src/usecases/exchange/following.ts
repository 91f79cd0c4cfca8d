import { type Caller, formatImageName, type Image } from '@gantry/model'
import type { ForeignImage } from '../../ports/image-exchange.ts'
import type { Tables } from '../../ports/store.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { asOwnerOf, freeName, localVisibility } from './taking.ts'

/** Writes down what the image service says by now. */
export interface Following {
  /** The caller sees it: under which name, and how far. */
  seen(caller: Caller, image: Image, found: ForeignImage): Promise<Image>
  /** She does not. If nobody can, its name here goes too; containers that run it keep their content. */
  unseen(caller: Caller, image: Image): Promise<void>
}

export function following(parts: ExchangeParts): Following {
  const { store, exchange, catalogue, clock, log } = parts

  async function renamed(tables: Tables, caller: Caller, image: Image, found: ForeignImage): Promise<Image> {
    const row = await tables.exchangedImages.get(image.id)
    if (!row || row.name === found.name || image.digest === null) return image
    await tables.exchangedImages.put({ ...row, name: found.name })
    const as = await freeName(parts, tables, found)
    if (as && as.repo === image.repo && as.tag === image.tag) return image
    await tables.images.update(image.id, { digest: null, repo: '', tag: '' })
    const isPlain = row.origin === 'made' && as !== null && formatImageName(as.repo, as.tag) === found.name
    const owner = asOwnerOf(caller, image.projectId)
    log.info({ image: image.id }, 'image renamed as at the image service')
    return catalogue.nameImageIn(tables, owner, as, image.digest, {
      row: image.id,
      displayName: isPlain ? null : found.name,
    })
  }

  async function lend({ images }: Tables, { projectId }: Caller, image: Image): Promise<void> {
    if (projectId === image.projectId || image.visibility !== 'shared') return
    const members = await images.members(image.id)
    if (members.some((member) => member.projectId === projectId && member.status === 'accepted')) return
    const now = clock.now()
    const member = { imageId: image.id, projectId, status: 'accepted', createdAt: now, updatedAt: now } as const
    await images.setMember(member)
  }

  return {
    async seen(caller, image, found) {
      const row = await store.exchangedImages.get(image.id)
      const visibility = localVisibility(found)
      const isSame = row?.name === found.name && image.visibility === visibility
      if (isSame && (image.projectId === caller.projectId || visibility !== 'shared')) return image
      return store.transaction(async (tables) => {
        const known = await tables.images.get(image.id)
        if (!known) return image
        const named = await renamed(tables, caller, known, found)
        const isMoved = named.visibility !== visibility
        if (isMoved) await tables.images.update(named.id, { visibility, updatedAt: clock.now() })
        const now = { ...named, visibility }
        await lend(tables, caller, now)
        return now
      })
    },
    async unseen(caller, image) {
      const still = await exchange.own.get(image.id)
      if (still) {
        const visibility = localVisibility(still)
        await store.transaction(async ({ images }) => {
          await images.removeMember(image.id, caller.projectId)
          if (visibility !== image.visibility) await images.update(image.id, { visibility })
        })
        return
      }
      log.info({ image: image.id }, 'image is gone from the image service; its name goes here too')
      await catalogue.dropImages([image])
      await store.exchangedImages.remove(image.id)
    },
  }
}
