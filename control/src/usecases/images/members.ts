import { Fault } from '@gantry/kernel'
import type { Caller, Image, ImageId, ImageMember, ProjectId } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { ImageVerbs } from '../../image-verbs.ts'
import type { Tables } from '../../ports/store.ts'
import { ownImage, seenImage } from './image-sight.ts'

/** As Glance's own `image_member_quota`. */
const mostMembers = 128

/** With whom a shared image is shared: its project says so, and each member says whether it wants it in its lists. */
export function memberVerbs({
  store,
  clock,
  catalogue: { elsewhere },
}: Pick<Deps, 'store' | 'clock' | 'catalogue'>): Pick<
  ImageVerbs,
  'members' | 'addMember' | 'setMemberStatus' | 'removeMember'
> {
  return {
    async members(caller, id) {
      const image = await seenImage(store, caller, id)
      const members = await store.images.members(id)
      // A member knows of itself, and of nobody else.
      return isOwner(caller, image) ? members : members.filter(({ projectId }) => projectId === caller.projectId)
    },
    async addMember(caller, id, projectId) {
      await sharedImage(store, caller, id)
      await elsewhere.share(caller, id, projectId)
      return store.transaction(async (tables) => {
        const image = await sharedImage(tables, caller, id)
        const members = await tables.images.members(id)
        if (projectId === image.projectId || members.some((member) => member.projectId === projectId)) {
          throw new Fault('image.conflict', { problem: `Image ${id} is shared with project ${projectId} already.` })
        }
        if (members.length >= mostMembers) throw cannotShare(`it is shared with ${mostMembers} projects, the most`)
        const now = clock.now()
        const member: ImageMember = { imageId: id, projectId, status: 'pending', createdAt: now, updatedAt: now }
        await tables.images.setMember(member)
        return member
      })
    },
    async setMemberStatus(caller, id, projectId, status) {
      await seenImage(store, caller, id)
      await elsewhere.answer(caller, id, projectId, status)
      return store.transaction(async ({ images }) => {
        await seenImage({ images }, caller, id)
        const member = await memberOf(images, id, projectId)
        if (projectId !== caller.projectId && !caller.isAdmin) {
          const reason = 'only that project may answer'
          throw new Fault('policy.forbidden', { action: 'Answering for another project', reason })
        }
        const changed = { ...member, status, updatedAt: clock.now() }
        await images.setMember(changed)
        return changed
      })
    },
    async removeMember(caller, id, projectId) {
      await ownImage(store, caller, id, 'Sharing this image')
      await elsewhere.unshare(caller, id, projectId)
      await store.transaction(async (tables) => {
        await ownImage(tables, caller, id, 'Sharing this image')
        await memberOf(tables.images, id, projectId)
        await tables.images.removeMember(id, projectId)
      })
    },
  }
}

function isOwner(caller: Caller, { projectId }: Image): boolean {
  return projectId === caller.projectId || caller.isAdmin
}

async function sharedImage(tables: Pick<Tables, 'images'>, caller: Caller, id: ImageId): Promise<Image> {
  const image = await ownImage(tables, caller, id, 'Sharing this image')
  if (image.visibility === 'shared') return image
  throw cannotShare(`its visibility is ${image.visibility}; make it shared first`)
}

function cannotShare(reason: string): Fault {
  return new Fault('policy.forbidden', { action: 'Sharing this image', reason })
}

/** Throws `image.not-found` as for an image that is not there. */
async function memberOf(images: Tables['images'], id: ImageId, projectId: ProjectId): Promise<ImageMember> {
  const member = (await images.members(id)).find((each) => each.projectId === projectId)
  if (member) return member
  throw new Fault('image.not-found', { image: id, reason: `it is not shared with project ${projectId}` })
}
