import { Fault } from '@gantry/kernel'
import { type Caller, type Digest, dockerImage, type Image, type ImageId } from '@gantry/model'
import type { Catalogue, ImageName, NamingOptions } from '../../catalogue.ts'
import type { Tables } from '../../ports/store.ts'
import { requireRoomForImage } from '../../quotas/enforce.ts'
import type { Blobs } from './blobs.ts'
import type { CatalogueDeps } from './catalogue-deps.ts'
import { holdAll } from './manifests.ts'
import { hasOtherName, releaseUnneeded } from './releasing.ts'
import { factsOf } from './runnable.ts'

/** What `nameImage` finds before it changes anything. */
interface Before {
  /** What has the name. */
  readonly former: Image | undefined
  /** The project's entries of this content. */
  readonly same: readonly Image[]
  /** An entry without content, which is to be this. */
  readonly waiting: Image | undefined
}

/** See `Catalogue.nameImage`. */
export function namingVerbs(
  { store, clock, ids }: CatalogueDeps,
  blobs: Blobs,
): Pick<Catalogue, 'nameImage' | 'nameImageIn'> {
  async function nameImageIn(
    tables: Tables,
    caller: Caller,
    name: ImageName | null,
    digest: Digest,
    options: NamingOptions = {},
  ): Promise<Image> {
    const facts = await factsOf(tables, digest)
    if (!facts) throw new Fault('manifest.unknown', { reference: digest, repository: 'the catalogue' })
    const before = await look(tables, caller, name, digest, options)
    await holdContent(tables, blobs, caller, name?.repo ?? '', digest, clock.now())
    const kept = alreadySo(before, name)
    if (kept) return asWished(tables, kept, options, clock.now())

    const { former, same } = before
    // A name that leads to nothing yet is taken over with its entry.
    const entry = before.waiting ?? (former?.digest === null ? former : undefined)
    const members = former ? await tables.images.members(former.id) : []
    if (former && former.id !== entry?.id) await loseName(tables, former, clock.now())
    const now = clock.now()
    const content = {
      ...facts,
      digest,
      userId: caller.userId,
      repo: name?.repo ?? '',
      tag: name?.tag ?? '',
      status: 'active' as const,
      pending: null,
      updatedAt: now,
    }
    const wished = options.displayName === undefined ? {} : { name: options.displayName }
    const image: Image = entry
      ? {
          ...entry,
          ...content,
          ...wished,
          visibility: options.visibility ?? entry.visibility,
          glance: { ...entry.glance, ...options.glance },
        }
      : {
          id: options.id ?? (ids.uuid() as ImageId),
          projectId: caller.projectId,
          name: null,
          ...content,
          ...wished,
          visibility: options.visibility ?? former?.visibility ?? 'private',
          glance: { ...dockerImage, ...options.glance },
          createdAt: now,
        }
    if (entry) await tables.images.update(image.id, image)
    else {
      await requireRoomForImage(tables, caller.projectId)
      await tables.images.insert(image)
      for (const member of members) await tables.images.setMember({ ...member, imageId: image.id })
    }
    // It has a name now; so has what just lost the same one.
    const isNameless = (each: Image) => isForgettable(each.id === former?.id ? { ...each, repo: '' } : each)
    const needless = name === null ? [] : same.filter((each) => each.id !== image.id && isNameless(each))
    for (const each of needless) await tables.images.remove(each.id)
    return image
  }

  return {
    nameImageIn,
    nameImage: (caller, name, digest, options) =>
      store.transaction((tables) => nameImageIn(tables, caller, name, digest, options)),
  }
}

async function look(
  { images }: Tables,
  { projectId }: Caller,
  name: ImageName | null,
  digest: Digest,
  { row }: NamingOptions,
): Promise<Before> {
  const own = { owners: 'own' } as const
  const [former] = name === null ? [] : await images.list(projectId, { ...own, repo: name.repo, tag: name.tag })
  const same = (await images.list(projectId, { ...own, digest })).filter(({ status }) => status === 'active')
  const wanted = row === undefined ? undefined : await images.get(row)
  const waiting = wanted?.projectId === projectId && wanted.digest === null ? wanted : undefined
  return { former, same, waiting }
}

/** The entry that says it already. */
function alreadySo({ former, same, waiting }: Before, name: ImageName | null): Image | undefined {
  if (waiting) return undefined
  if (name === null) return same[0]
  return same.find((each) => each.id === former?.id)
}

async function asWished(
  { images }: Tables,
  image: Image,
  { visibility = image.visibility, displayName = image.name }: NamingOptions,
  now: number,
): Promise<Image> {
  if (visibility === image.visibility && displayName === image.name) return image
  const change = { visibility, name: displayName, updatedAt: now }
  await images.update(image.id, change)
  return { ...image, ...change }
}

/**
 * The content must be the project's in that repository, with all that it is made of. What was just brought here is in none yet, and
 * moves there.
 */
async function holdContent(
  tables: Tables,
  blobs: Blobs,
  { projectId, userId }: Caller,
  repo: string,
  digest: Digest,
  now: number,
): Promise<void> {
  const { contents } = tables
  const brought = repo === '' ? undefined : await contents.holdOf(projectId, '', digest)
  if (brought) {
    await contents.hold({ ...brought, repo })
    await releaseUnneeded(tables, projectId, await partsOf(tables, digest), [''])
  } else if (!(await contents.holdOf(projectId, repo, digest))) {
    await holdAll(tables, blobs, projectId, await contents.closure(digest))
    await contents.hold({ projectId, repo, digest, userId, pushedAt: now })
  }
}

/**
 * What Glance's users gave a name of their own stays what it is. All else stays without a name, for the project alone, unless it has
 * another one.
 */
async function loseName(tables: Tables, former: Image, now: number): Promise<void> {
  const { images } = tables
  const nameless = { repo: '', tag: '', updatedAt: now }
  if (!isForgettable({ ...former, ...nameless })) return images.update(former.id, nameless)
  const rows =
    former.digest === null ? [] : await images.list(former.projectId, { owners: 'own', digest: former.digest })
  if (hasOtherName(former, rows)) return images.remove(former.id)
  for (const { projectId } of await images.members(former.id)) await images.removeMember(former.id, projectId)
  await images.update(former.id, { ...nameless, visibility: 'private' })
}

/** It has no name of any kind. */
function isForgettable({ repo, name, glance }: Image): boolean {
  return repo === '' && name === null && !glance.protected
}

async function partsOf({ contents }: Tables, digest: Digest): Promise<Digest[]> {
  return (await contents.closure(digest)).map((each) => each.digest)
}
