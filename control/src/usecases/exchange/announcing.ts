import { Fault, reasonOf } from '@gantry/kernel'
import { type Caller, type Digest, formatImageName, type Image, type ImageId } from '@gantry/model'
import { type Catalogue, type ImageName, type NamingOptions, pulledFrom } from '../../catalogue.ts'
import { subjectOfTag } from '../registry/sight.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import type { Sender } from './sender.ts'

/** Tries to find out which entry a name will be, while others name the same. */
const mostTries = 3

/**
 * As the catalogue's own, and what can be run becomes an image of the image service too: its record is made first, with the rights of
 * the caller, who hears of it if that is refused; the content follows by itself.
 */
export function announcing(parts: ExchangeParts, sender: Sender): Pick<Catalogue, 'nameImage'> {
  const { store, exchange, catalogue, ids, log } = parts

  async function isSent(name: ImageName | null, digest: Digest, { glance }: NamingOptions): Promise<boolean> {
    if (name === null || name.tag.includes(':') || subjectOfTag(name.tag) !== null) return false
    if (glance?.properties?.[pulledFrom] !== undefined) return false
    return (await catalogue.runnable(digest)) !== null
  }

  async function entryOf({ projectId }: Caller, { repo, tag }: ImageName): Promise<Image | undefined> {
    const [entry] = await store.images.list(projectId, { owners: 'own', repo, tag })
    return entry
  }

  /** The name means this already, and so it does there; what is gone there is made anew, under another id. */
  async function isKnown(former: Image | undefined, digest: Digest): Promise<boolean> {
    if (former?.digest !== digest) return false
    if (former.glance.properties[pulledFrom] !== undefined) return true
    if (!(await store.exchangedImages.get(former.id))) return false
    if (await exchange.own.get(former.id)) return true
    await store.transaction(async (tables) => {
      await tables.images.remove(former.id)
      await tables.exchangedImages.remove(former.id)
    })
    return false
  }

  async function announced(
    caller: Caller,
    name: ImageName,
    digest: Digest,
    options: NamingOptions,
  ): Promise<Image | null> {
    const former = await entryOf(caller, name)
    if (await isKnown(former, digest)) return catalogue.nameImage(caller, name, digest, options)
    const still = await entryOf(caller, name)
    const takesOver = still && (still.digest === null || still.digest === digest)
    const id = options.row ?? (takesOver ? still.id : (ids.uuid() as ImageId))
    const visibility = options.visibility ?? former?.visibility ?? 'private'
    const { projectId } = caller
    const text = formatImageName(name.repo, name.tag)
    await exchange.announce(caller, { id, projectId, name: text, visibility, digest })
    try {
      const image = await store.transaction(async (tables) => {
        const named = await catalogue.nameImageIn(tables, caller, name, digest, { ...options, id })
        if (named.id !== id) throw new OtherEntry()
        const { createdAt } = named
        const row = { id, projectId, origin: 'made', state: 'due', name: text, hash: null, createdAt } as const
        await tables.exchangedImages.put(row)
        return named
      })
      sender.wake(former && former.id !== id ? [former.id] : [])
      return image
    } catch (error) {
      await exchange.remove(caller, id).catch((reason: unknown) => {
        log.warn({ image: id, reason: reasonOf(reason) }, 'announced image not taken back; a sweep does')
      })
      if (error instanceof OtherEntry) return null
      throw error
    }
  }

  return {
    async nameImage(caller, name, digest, options = {}) {
      if (name === null || !(await isSent(name, digest, options))) {
        const former = name && (await entryOf(caller, name))
        const image = await catalogue.nameImage(caller, name, digest, options)
        if (former && former.id !== image.id) sender.wake([former.id])
        return image
      }
      for (let tries = 0; tries < mostTries; tries++) {
        const image = await announced(caller, name, digest, options)
        if (image) return image
      }
      throw new Fault('image.conflict', { problem: `${name.repo}:${name.tag} is being named by others; try again.` })
    },
  }
}

/** Somebody else made, or took, the entry meanwhile. */
class OtherEntry extends Error {}
