import { Fault } from '@gantry/kernel'
import { type Caller, dockerImage, type Image, type ImageId } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { ImagePatch, ImageVerbs, NewImage } from '../../image-verbs.ts'
import type { Tables } from '../../ports/store.ts'
import { requireRoomForImage } from '../../quotas/enforce.ts'
import { releaseUnneeded } from '../catalogue/releasing.ts'
import { nameOf } from '../engine-images/names.ts'
import { usesOf } from '../engine-images/remove.ts'
import { requireAdminFor } from '../find-container.ts'
import { catalogueName, isCatalogueId } from './catalogue-name.ts'
import { asOwner, ownImage, seenImage, shownName, unseen } from './image-sight.ts'

/** Entries of the catalogue: what there is, and what is said of it. */
export function entryVerbs(deps: Deps): Pick<ImageVerbs, 'list' | 'get' | 'find' | 'create' | 'update' | 'delete'> {
  const { store, clock, ids } = deps
  return {
    async list(caller, { allProjects = false, name, ...query } = {}) {
      requireAdminFor(caller, allProjects, 'Listing all projects')
      const rows = await store.images.list(allProjects ? null : caller.projectId, query)
      return rows.filter((row) => {
        const shown = shownName(row)
        // What has lost its name is for those to see who know images by ids.
        return shown !== null && (name === undefined || name === shown)
      })
    },
    get: (caller, id) => seenImage(store, caller, id),
    async find(caller, ref) {
      if (isCatalogueId(ref)) {
        const known = await deps.catalogue.elsewhere.byId(caller, ref.toLowerCase())
        return known ?? seenImage(store, caller, ref.toLowerCase() as ImageId)
      }
      const { repo, tag } = nameOf(ref)
      const known = repo === '' ? null : await deps.catalogue.find(caller, { repo, tag })
      if (known) return known
      const named = await store.images.list(caller.projectId, { name: ref })
      const own = named.filter(({ projectId }) => projectId === caller.projectId)
      const [first, second] = own.length > 0 ? own : named
      if (!first || ref === '') throw unseen(ref)
      if (second) throw new Fault('image.ambiguous', { ref })
      return first
    },
    async create(caller, input) {
      requireAdminFor(caller, input.visibility === 'public', 'Making an image public')
      const image = newImage(caller, input, (input.id ?? ids.uuid()) as ImageId, clock.now())
      return store.transaction(async (tables) => {
        const { images } = tables
        await requireRoomForImage(tables, caller.projectId)
        if (await images.get(image.id)) {
          throw new Fault('image.conflict', { problem: `There is an image of the id ${image.id} already.` })
        }
        await images.insert(image)
        return image
      })
    },
    async update(caller, id, patch) {
      const isMadePublic = patch.visibility === 'public'
      await changeElsewhere(deps, caller, id, patch)
      return store.transaction(async (tables) => {
        const image = await ownImage(tables, caller, id, 'Changing this image')
        requireAdminFor(caller, isMadePublic && image.visibility !== 'public', 'Making an image public')
        return change(deps, tables, asOwner(caller, image), image, patch)
      })
    },
    async delete(caller, id) {
      const image = await ownImage(store, caller, id, 'Deleting this image')
      if (image.glance.protected) {
        throw new Fault('policy.forbidden', { action: 'Deleting this image', reason: 'it is protected' })
      }
      await requireUnused(deps, asOwner(caller, image), image)
      await deps.catalogue.elsewhere.withdraw(caller, [image])
      await deps.catalogue.dropImages([image])
      const { projectId, imageId } = image
      const name = shownName(image) ?? id
      deps.activity.note({ type: 'image', action: 'delete', id: imageId ?? id, projectId, attributes: { name } })
    },
  }
}

/** Its word counts, so it is asked first. */
async function changeElsewhere(
  { store, catalogue }: Deps,
  caller: Caller,
  id: ImageId,
  { name, visibility }: ImagePatch,
): Promise<void> {
  if (name === undefined && visibility === undefined) return
  const image = await ownImage(store, caller, id, 'Changing this image')
  requireAdminFor(caller, visibility === 'public' && image.visibility !== 'public', 'Making an image public')
  const change = { ...(name !== undefined && { name: name ?? '' }), ...(visibility && { visibility }) }
  await catalogue.elsewhere.change(caller, image, change)
}

function newImage(
  { projectId, userId }: Caller,
  { name, visibility, glance }: NewImage,
  id: ImageId,
  now: number,
): Image {
  return {
    id,
    projectId,
    userId,
    // Empty for none: it is no entry that has lost its name.
    name: name ?? '',
    // It gets these with its content, so that nothing loses them to an upload that fails.
    repo: '',
    tag: '',
    kind: 'image',
    status: 'queued',
    visibility,
    digest: null,
    imageId: null,
    size: null,
    bytes: null,
    pending: null,
    glance: { ...dockerImage, ...glance },
    createdAt: now,
    updatedAt: now,
  }
}

async function change(
  deps: Deps,
  tables: Tables,
  owner: Caller,
  image: Image,
  { name, visibility, glance }: ImagePatch,
): Promise<Image> {
  const { id } = image
  const changed = {
    ...(name !== undefined && { name: name ?? '' }),
    ...(visibility && { visibility }),
    ...(glance && { glance: { ...image.glance, ...glance } }),
    updatedAt: deps.clock.now(),
  }
  await tables.images.update(id, changed)
  const updated = { ...image, ...changed }
  if (!name || name === shownName(image) || image.digest === null || image.kind === 'data') return updated
  return rename(deps, tables, owner, updated, name)
}

/** It gets the name as new content would: what was called so gives it up. */
async function rename(
  { catalogue, registryDomains }: Deps,
  tables: Tables,
  owner: Caller,
  image: Image & { readonly digest: Image['digest'] },
  name: string,
): Promise<Image> {
  const { id, digest, repo, size } = image
  if (digest === null) return image
  const as = catalogueName({ registryDomains }, name)
  const isSo = as.repo === repo && as.tag === image.tag
  if (isSo) return image
  await tables.images.update(id, { digest: null, repo: '', tag: '' })
  const named = await catalogue.nameImageIn(tables, owner, as, digest, { row: id })
  if (named.size === null && size !== null) await tables.images.update(id, { size })
  const parts = (await tables.contents.closure(digest)).map((each) => each.digest)
  await releaseUnneeded(tables, owner.projectId, parts, [repo])
  return { ...named, size: named.size ?? size }
}

/** While the project sees another entry of the same, this one may go. */
async function requireUnused(deps: Deps, owner: Caller, image: Image): Promise<void> {
  const { imageId, digest, id } = image
  if (imageId === null || digest === null) return
  const rows = await deps.store.images.list(owner.projectId, { imageId })
  if (rows.some((row) => row.id !== id)) return
  if ((await usesOf(deps, owner, { imageId })).length === 0) return
  throw new Fault('image.in-use', { image: shownName(image) || id })
}
