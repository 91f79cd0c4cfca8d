import { Fault } from '@gantry/kernel'
import {
  type Caller,
  familiarRepo,
  formatImageName,
  type Image,
  type ImageId,
  type ProjectId,
  registryOf,
  splitNamespace,
} from '@gantry/model'
import type { Catalogue, ImageName } from '../../catalogue.ts'
import type { Elsewhere } from '../../elsewhere.ts'
import type { ForeignImage } from '../../ports/image-exchange.ts'
import { following } from './following.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { isCatalogueId } from '../images/catalogue-name.ts'
import { namesThere, type Taking } from './taking.ts'

type Looking = Pick<Elsewhere, 'current' | 'byId' | 'ofProject'> & Pick<Catalogue, 'find'>

/** What names and ids mean where another service keeps images too. */
export function looking(parts: ExchangeParts, taken: Taking): Looking {
  const { store, exchange, catalogue, namespaces, registryDomains } = parts
  const follow = following(parts)

  async function current(caller: Caller, image: Image): Promise<Image | null> {
    const row = await store.exchangedImages.get(image.id)
    if (!row) return image
    const found = await exchange.get(caller, image.id)
    if (!found) {
      await follow.unseen(caller, image)
      return null
    }
    return seen(caller, found)
  }

  /** Which the caller may see: made ours, or followed. */
  async function seen(caller: Caller, found: ForeignImage): Promise<Image> {
    const row = await store.exchangedImages.get(found.id)
    // What is made here has its content here before it has it there.
    const image = row?.origin === 'made' ? await store.images.get(found.id) : await taken.take(caller, found)
    if (!image) throw new Fault('image.not-found', { image: found.name || found.id, reason: 'it was just deleted' })
    if (found.status === 'deactivated') {
      throw new Fault('image.not-found', { image: found.name || found.id, reason: 'it is deactivated' })
    }
    if (found.status === 'active') await taken.heal(caller, image)
    return follow.seen(caller, image, found)
  }

  async function byId(caller: Caller, id: string): Promise<Image | null> {
    if (!isCatalogueId(id)) return null
    const known = await store.images.get(id.toLowerCase() as ImageId)
    if (known && !(await store.exchangedImages.get(known.id))) {
      return known.projectId === caller.projectId ? known : localOf(caller, known)
    }
    const found = known ? null : await exchange.get(caller, id.toLowerCase() as ImageId)
    const image = known ? await current(caller, known) : found && (await seen(caller, found))
    // Nobody means a name of another registry by this.
    if (!image) throw new Fault('image.not-found', { image: id, reason: 'no image of that id is visible to you' })
    return image
  }

  /** Registry-only, of another project. */
  async function localOf({ projectId }: Caller, image: Image): Promise<Image | null> {
    if (image.visibility === 'public') return image
    const members = image.visibility === 'shared' ? await store.images.members(image.id) : []
    return members.some((member) => member.projectId === projectId) ? image : null
  }

  async function entryOf(owner: ProjectId, name: ImageName): Promise<Image | undefined> {
    const [entry] = await store.images.list(owner, { owners: 'own', ...name })
    return entry?.status === 'active' ? entry : undefined
  }

  async function ofProject(caller: Caller, owner: ProjectId, name: ImageName): Promise<Image | null> {
    const isOwn = owner === caller.projectId
    const entry = await entryOf(owner, name)
    const isExchanged = entry && (await store.exchangedImages.get(entry.id))
    // Pulled, or something that only a registry keeps.
    if (entry && !isExchanged) return isOwn ? entry : localOf(caller, entry)
    const named = await exchange.named(caller, namesThere(name), ...(isOwn ? [] : [owner]))
    const theirs = named.filter(({ projectId }) => projectId === owner)
    const meant = theOne(theirs, name, entry)
    if (meant) return seen(caller, meant)
    // It is called otherwise there, or is there no longer.
    const now = entry && (await current(caller, entry))
    return now && now.repo === name.repo && now.tag === name.tag ? now : null
  }

  /** Public ones, and what other projects share and the caller's has accepted. */
  async function ofOthers(caller: Caller, name: ImageName): Promise<Image | null> {
    const named = await exchange.named(caller, namesThere(name))
    // Administrators see those too that are nobody's business.
    const others = named.filter((each) => each.projectId !== caller.projectId && each.visibility !== 'private')
    const meant = theOne(others, name, undefined)
    if (meant) return seen(caller, meant)
    const known = await catalogue.find(caller, name)
    return known && known.projectId !== caller.projectId ? current(caller, known) : null
  }

  async function byDigest(caller: Caller, name: ImageName): Promise<Image | null> {
    const known = await catalogue.find(caller, name)
    return known && current(caller, known)
  }

  async function inNamespace(caller: Caller, name: string, tag: string): Promise<Image | null> {
    const place = splitNamespace(name)
    const owner = place && (await namespaces.projectOf(place.namespace))
    return place && owner !== null ? ofProject(caller, owner, { repo: place.repo, tag }) : null
  }

  return {
    current,
    byId,
    ofProject,
    async find(caller, name) {
      if (name.repo === 'sha256' || name.tag.includes(':')) return byDigest(caller, name)
      const domain = registryDomains.find((each) => name.repo.startsWith(`${each}/`))
      if (domain !== undefined) return inNamespace(caller, name.repo.slice(domain.length + 1), name.tag)
      const repo = familiarRepo(name.repo)
      const plain = { repo, tag: name.tag }
      const found = (await ofProject(caller, caller.projectId, plain)) ?? (await ofOthers(caller, plain))
      if (found || registryOf(repo) !== '') return found
      return inNamespace(caller, repo, name.tag)
    },
  }
}

/**
 * Names of images need not be unique there. What has the tag here is meant while it is the newest; anything else is for the user to say.
 * Throws `image.conflict`.
 */
function theOne(found: readonly ForeignImage[], name: ImageName, tagged: Image | undefined): ForeignImage | undefined {
  const docker = found.filter(({ containerFormat }) => containerFormat === 'docker')
  const [first, ...others] = docker.length > 0 ? docker : found
  if (!first || others.length === 0) return first
  const newest = [first, ...others].toSorted((one, other) => other.createdAt - one.createdAt)[0]
  if (tagged && newest?.id === tagged.id) return newest
  const problem = `Several images are named ${formatImageName(name.repo, name.tag)}; use the id of the one you mean.`
  throw new Fault('image.conflict', { problem })
}
