import { Fault } from '@gantry/kernel'
import type { Caller, Image } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { EngineImages, ImageUse, RemovedImage } from '../../engine-image-verbs.ts'
import { catalogueOf, type FoundImage, findImage, type KnownImage } from './catalogue.ts'
import { keepNameless, removeRef } from './image-rows.ts'
import { filtered } from './look.ts'
import { removalPlan } from './removal-plan.ts'
import type { Turns } from './turns.ts'

export function removeVerbs(deps: Deps, turns: Turns): Pick<EngineImages, 'remove' | 'prune'> {
  const remove = async (caller: Caller, found: FoundImage, asked: string, force: boolean) => {
    const { image } = found
    const plan = removalPlan(found, asked, await usesOf(deps, caller, image), force)
    let nameless = plan.nameless ? await namelessOf(deps, caller, plan.drop) : null
    for (const row of plan.drop) {
      await removeRef(deps, row).catch(async (error: unknown) => {
        const isUsed = error instanceof Fault && error.code === 'image.in-use'
        if (!isUsed || !force || nameless) throw error
        // By a container of the project's that is on its way out: it stays, without a name, until it can go.
        nameless = await namelessOf(deps, caller, [row])
        await removeRef(deps, row)
      })
    }
    await deps.store.transaction(async (tables) => {
      if (nameless) await tables.images.insert(nameless)
      for (const row of plan.drop) await tables.images.remove(row.id)
    })
    return told(deps, caller, image, plan)
  }
  return {
    remove: (caller, name, { force }) =>
      turns.take(caller.projectId, async () =>
        remove(caller, findImage(await catalogueOf(deps.store, caller), name), name, force),
      ),
    prune: (caller, { dangling = true, ...filters }) =>
      turns.take(caller.projectId, async () => {
        const removed: RemovedImage[] = []
        let reclaimed = 0
        const all = await filtered(deps, caller, { ...filters, ...(dangling && { dangling: true }) })
        for (const image of all) {
          if (image.own.length === 0 || (await usesOf(deps, caller, image)).length > 0) continue
          const gone = await remove(caller, { image, row: null }, image.imageId, true).catch((error: unknown) => {
            deps.log.warn({ image: image.imageId, reason: String(error) }, 'image not pruned')
            return []
          })
          removed.push(...gone)
          if (gone.some((each) => 'deleted' in each)) reclaimed += image.size
        }
        return { removed, reclaimed }
      }),
  }
}

async function namelessOf(deps: Deps, caller: Caller, [row]: readonly Image[]): Promise<Image | null> {
  return row === undefined || row.repo === '' ? null : keepNameless(deps, caller, row)
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

/** The project's containers that were made of it. */
export async function usesOf(deps: Deps, { projectId }: Caller, { imageId, own }: KnownImage): Promise<ImageUse[]> {
  const query = { filters: {}, sortKey: 'created_at', descending: true, limit: all, marker: null } as const
  const containers = await deps.store.containers.list(projectId, query)
  const refs = new Set(own.map(({ engineRef }) => engineRef))
  return containers.flatMap(({ id, imageRef, observed: { engine } }) => {
    if (engine === null ? !refs.has(imageRef) : engine.imageDigest !== imageId) return []
    return [{ id, running: engine !== null && ['running', 'paused', 'restarting'].includes(engine.state) }]
  })
}
