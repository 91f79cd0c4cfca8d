import { type Turns, reasonOf } from '@gantry/kernel'
import type { Caller, Image } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { EngineImages, ImageUse, RemovedImage } from '../../engine-image-verbs.ts'
import { filtered } from './look.ts'
import { type FoundImage, findImage, type KnownImage } from './project-images.ts'
import { removalPlan } from './removal-plan.ts'

export function removeVerbs(deps: Deps, turns: Turns): Pick<EngineImages, 'remove' | 'prune'> {
  const remove = async (caller: Caller, found: FoundImage, asked: string, force: boolean) => {
    const plan = removalPlan(found, asked, await usesOf(deps, caller, found.image), force)
    const [last, ...others] = plan.drop
    await deps.catalogue.elsewhere.withdraw(caller, plan.drop)
    if (plan.nameless && last) await takeName(deps, last)
    await deps.catalogue.dropImages(plan.nameless ? others : plan.drop)
    return told(deps, caller, found.image, plan)
  }
  return {
    remove: (caller, name, { force }) =>
      turns.take(caller.projectId, async () => remove(caller, await findImage(deps, caller, name), name, force)),
    prune: (caller, { dangling = true, ...filters }) =>
      turns.take(caller.projectId, async () => {
        const removed: RemovedImage[] = []
        let reclaimed = 0
        const all = await filtered(deps, caller, { ...filters, ...(dangling && { dangling: true }) })
        for (const image of all) {
          if (image.own.length === 0 || (await usesOf(deps, caller, image)).length > 0) continue
          const gone = await remove(caller, { image, row: null }, image.imageId, true).catch((error: unknown) => {
            deps.log.warn({ image: image.imageId, reason: reasonOf(error) }, 'image not pruned')
            return []
          })
          removed.push(...gone)
          if (gone.some((each) => 'deleted' in each)) reclaimed += image.size
        }
        return { removed, reclaimed }
      }),
  }
}

/** The image stays for the containers that run it, in no repository, seen by its project alone. */
async function takeName({ store, clock }: Deps, { id, projectId, digest, userId }: Image): Promise<void> {
  const now = clock.now()
  await store.transaction(async ({ images, contents, exchangedImages }) => {
    await exchangedImages.remove(id)
    for (const member of await images.members(id)) await images.removeMember(id, member.projectId)
    await images.update(id, { name: null, repo: '', tag: '', visibility: 'private', updatedAt: now })
    if (digest !== null) await contents.hold({ projectId, repo: '', digest, userId, pushedAt: now })
  })
}

function told(
  deps: Deps,
  { projectId }: Caller,
  { imageId }: KnownImage,
  { untagged, isDeleted }: { readonly untagged: readonly string[]; readonly isDeleted: boolean },
): RemovedImage[] {
  const note = (action: string, name: string) =>
    deps.activity.note({ type: 'image', action, id: imageId, projectId, attributes: { name } })
  for (const name of untagged) note('untag', name)
  if (isDeleted) note('delete', imageId)
  return [...untagged.map((name) => ({ untagged: name })), ...(isDeleted ? [{ deleted: imageId }] : [])]
}

/** More than any quota allows. */
const all = 1_000_000

/** The project's containers that run it. */
export async function usesOf(
  deps: Deps,
  { projectId }: Caller,
  { imageId }: Pick<KnownImage, 'imageId'>,
): Promise<ImageUse[]> {
  const query = { filters: {}, sortKey: 'created_at', descending: true, limit: all, marker: null } as const
  const containers = await deps.store.containers.list(projectId, query)
  return containers.flatMap(({ id, imageRef, observed: { engine } }) => {
    // What the catalogue did not know when it was made is told by the engine.
    if (imageRef !== imageId && engine?.imageDigest !== imageId) return []
    return [{ id, running: engine !== null && ['running', 'paused', 'restarting'].includes(engine.state) }]
  })
}
