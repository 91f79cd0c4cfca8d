import { Fault } from '@gantry/kernel'
import { type Caller, type HostId, type Image, type ImageId, namelessRefIn } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import { isPrivateRef, spaceOf } from '../images-of-project.ts'
import type { ImageName } from './names.ts'

const quickMs = 60_000

/** An image that an engine has just been given. */
export interface Arrived {
  readonly hostId: HostId
  readonly imageId: string
  /** Bytes. */
  readonly size: number
  readonly engineRef: string
  readonly digest?: string | null
  readonly fetched?: boolean
}

/**
 * Writes that `name` means this image from now on; null: it has no name. What the name meant before keeps its other names,
 * or stays without one.
 */
export async function nameImage(deps: Deps, caller: Caller, name: ImageName | null, arrived: Arrived): Promise<void> {
  const { hostId, imageId, engineRef } = arrived
  const rows = (await deps.store.images.list(caller.projectId)).filter((row) => row.projectId === caller.projectId)
  const formers = name === null ? [] : rows.filter(({ repo, tag }) => repo === name.repo && tag === name.tag)
  const nameless: Image[] = []
  for (const former of formers) {
    const isSame = former.hostId === hostId && former.imageId === imageId
    const hasOthers = rows.some(
      (row) => row.id !== former.id && row.hostId === former.hostId && row.imageId === former.imageId,
    )
    if (!isSame && !hasOthers && former.imageId !== null) {
      const kept = await keepNameless(deps, caller, former)
      if (kept) nameless.push(kept)
    }
  }
  const row: Image = {
    id: deps.ids.uuid() as ImageId,
    projectId: caller.projectId,
    userId: caller.userId,
    hostId,
    hostName: '',
    repo: name?.repo ?? '',
    tag: name?.tag ?? '',
    engineRef,
    imageId,
    size: arrived.size,
    digest: arrived.digest ?? null,
    fetched: arrived.fetched ?? false,
    createdAt: deps.clock.now(),
  }
  // It has a name again, or one already.
  const needless = rows.filter((each) => each.repo === '' && each.hostId === hostId && each.imageId === imageId)
  const gone = [...formers, ...needless]
  await deps.store.transaction(async (tables) => {
    for (const each of gone) await tables.images.remove(each.id)
    for (const each of nameless) await tables.images.insert(each)
    await tables.images.insert(row)
  })
  for (const each of gone) {
    const isElsewhere = each.engineRef !== engineRef || each.hostId !== hostId
    if (isElsewhere) await removeRef(deps, each).catch(quietly(deps, each))
  }
}

/** A reference of its own for an image that is about to lose its name; null: its engine does not have it any more. */
export async function keepNameless(deps: Deps, { projectId }: Caller, former: Image): Promise<Image | null> {
  const { imageId, hostId } = former
  if (imageId === null) return null
  const engineRef = namelessRefIn(spaceOf(projectId), imageId.replace('sha256:', '').slice(0, 12))
  try {
    await deps.links.calls(hostId).imageTag({ engineRef: imageId, as: engineRef }, soon())
  } catch (error) {
    if (error instanceof Fault && ['image.not-found', 'host.unreachable'].includes(error.code)) return null
    throw error
  }
  const rest = { repo: '', tag: '', digest: null, fetched: false }
  return { ...former, ...rest, id: deps.ids.uuid() as ImageId, engineRef }
}

/**
 * Takes the reference of a row away from its engine, if it is ours to take and no other row stands on it. Repeatable. Throws
 * `image.in-use` when a container of the engine needs it.
 */
export async function removeRef(deps: Deps, { id, hostId, engineRef, fetched = false }: Image): Promise<void> {
  const others = (await deps.store.images.withRef(hostId, engineRef)).filter((row) => row.id !== id)
  if (others.length > 0) return
  const isPublic = !isPrivateRef(engineRef)
  // What the engine had before us is its operator's.
  if (isPublic && !fetched) return
  if (!(await deps.store.hosts.get(hostId))) return
  await deps.links
    .calls(hostId)
    .imageRemove({ engineRef }, soon())
    .catch((error: unknown) => {
      const code = error instanceof Fault ? error.code : null
      // A public image may be in use by those who never asked us for it.
      if (code === 'image.not-found' || (isPublic && code === 'image.in-use')) return
      throw error
    })
}

export function quietly(deps: Deps, { engineRef }: Image): (error: unknown) => void {
  return (error) => deps.log.warn({ image: engineRef, reason: String(error) }, 'image not removed from its host')
}

export function soon(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(quickMs) }
}
