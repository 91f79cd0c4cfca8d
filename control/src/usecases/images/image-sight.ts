import { Fault } from '@gantry/kernel'
import { type Caller, formatImageName, type Image, type ImageId } from '@gantry/model'
import type { Tables } from '../../ports/store.ts'

/** What a caller may see, whatever a member has answered. Throws `image.not-found`. */
export async function seenImage({ images }: Pick<Tables, 'images'>, caller: Caller, id: ImageId): Promise<Image> {
  const image = await images.get(id)
  if (!image) throw unseen(id)
  const { projectId, visibility } = image
  if (projectId === caller.projectId || caller.isAdmin || visibility === 'public') return image
  const members = visibility === 'shared' ? await images.members(id) : []
  if (!members.some((member) => member.projectId === caller.projectId)) throw unseen(id)
  return image
}

/** What a caller may change. `action`: the beginning of a sentence. Throws `image.not-found`, `policy.forbidden`. */
export async function ownImage(
  tables: Pick<Tables, 'images'>,
  caller: Caller,
  id: ImageId,
  action: string,
): Promise<Image> {
  const image = await seenImage(tables, caller, id)
  if (image.projectId === caller.projectId || caller.isAdmin) return image
  throw new Fault('policy.forbidden', { action, reason: 'it is another project’s' })
}

/** An administrator does with an image what its project could: what comes of it is the project's. */
export function asOwner(caller: Caller, { projectId, userId }: Image): Caller {
  return projectId === caller.projectId ? caller : { ...caller, projectId, userId: userId ?? caller.userId }
}

/** As users see it; null: it has none. */
export function shownName({ name, repo, tag }: Image): string | null {
  return name ?? (repo === '' ? null : formatImageName(repo, tag))
}

export function unseen(ref: string): Fault {
  return new Fault('image.not-found', { image: ref, reason: 'no image of that id or name is visible to you' })
}
