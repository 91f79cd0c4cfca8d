import { Fault, reasonOf } from '@gantry/kernel'
import {
  type Caller,
  dockerImage,
  formatImageName,
  type HostId,
  type Image,
  type ImageId,
  namelessRefIn,
  type PendingImage,
} from '@gantry/model'
import { type ImageName, pulledFrom } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { ServerId } from '../../ports/cluster.ts'
import type { Tables } from '../../ports/store.ts'
import { requireRoomForImage } from '../../quotas/enforce.ts'
import { spaceOf } from '../images-of-project.ts'
import { giveImage } from './giving.ts'
import { learnSize } from './image-sizes.ts'
import { nameOf } from './names.ts'
import type { RunnableRow } from './project-images.ts'

/** An entry whose content a host has, or is about to make, and is still to give. */
export type Pending = Image & { readonly pending: NonNullable<Image['pending']> }

/** As long as a large image may take on its way. Milliseconds. */
const giveMs = 60 * 60_000
const removeMs = 60_000

/** How an engine calls what is made for the project, until it is here. */
export function newEngineRef({ ids }: Pick<Deps, 'ids'>, { projectId }: Caller): string {
  return namelessRefIn(spaceOf(projectId), ids.hex(6))
}

/**
 * Writes that a host makes an image, before it does: whatever is killed meanwhile, it comes here or its traces go when the host is
 * connected again. `name` is what it will be called; what is called so now stays until then.
 */
export async function addPending(
  deps: Pick<Deps, 'ids' | 'clock' | 'cluster'>,
  tables: Tables,
  caller: Caller,
  pending: PendingImage,
  name: ImageName | null,
): Promise<Pending> {
  const { projectId, userId } = caller
  const taken = name && (await tables.images.list(projectId, { owners: 'own', repo: name.repo, tag: name.tag }))
  const isFree = taken?.length === 0
  const now = deps.clock.now()
  const image: Pending = {
    id: deps.ids.uuid() as ImageId,
    projectId,
    userId,
    name: name && formatImageName(name.repo, name.tag),
    repo: (isFree && name?.repo) || '',
    tag: (isFree && name?.tag) || '',
    kind: 'image',
    status: 'saving',
    visibility: 'private',
    digest: null,
    imageId: null,
    size: null,
    bytes: null,
    pending,
    glance: dockerImage,
    createdAt: now,
    updatedAt: now,
  }
  await requireRoomForImage(tables, image.projectId)
  await tables.images.insert(image)
  await tables.duties.begin('image', image.id, deps.cluster.self)
  return image
}

/** The host gives what it made, which has its name from now on; what the engine called it in between goes. */
export async function finishImage(
  deps: Deps,
  caller: Caller,
  image: Pending,
  name: ImageName | null,
  signal: AbortSignal = AbortSignal.timeout(giveMs),
): Promise<RunnableRow> {
  const { hostId, engineRef } = image.pending
  const { digest, imageId, size } = await giveImage(deps, caller, hostId, engineRef, signal)
  const named = await deps.catalogue.nameImage(caller, name, digest, { row: image.id, displayName: null })
  await deps.store.duties.end('image', image.id)
  await learnSize(deps, imageId, size)
  await removeRef(deps, hostId, engineRef)
  return { ...named, imageId, digest }
}

/**
 * Nothing comes of it, so that it is forgotten, and what there may be of it goes from its host. While the host cannot be reached nobody
 * knows: then it waits for that.
 */
export async function giveUp(deps: Deps, { id, pending }: Pending, reason: unknown): Promise<void> {
  const isLost = reason instanceof Fault && reason.code === 'host.unreachable'
  await deps.store.transaction(async ({ images, duties }) => {
    await duties.end('image', id)
    // Something else may have come under its name, and taken its entry over.
    const isStill = (await images.get(id))?.pending?.engineRef === pending.engineRef
    if (isStill && isLost) await images.update(id, { status: 'queued' })
    else if (isStill) await images.remove(id)
  })
  if (!isLost) await removeRef(deps, pending.hostId, pending.engineRef)
}

/** What a server was killed in the middle of waits for its host, or for its user. */
export async function queueInterrupted({ store }: Pick<Deps, 'store'>, alive: readonly ServerId[]): Promise<void> {
  await store.transaction(async ({ images, duties }) => {
    const held = await duties.heldBy('image', alive)
    for (const { id, status, pending, glance } of await images.list(null)) {
      if (status !== 'saving' || held.has(id)) continue
      const isPull = pending === null && glance.properties[pulledFrom] !== undefined
      // Whoever pulled it asks again: nobody could bring its content.
      if (isPull) await images.remove(id)
      else await images.update(id, { status: 'queued' })
    }
  })
}

/** What a killed server, or a lost connection, left for this host to give. */
export async function finishPending(deps: Deps, hostId: HostId): Promise<void> {
  for (const image of await claimed(deps, hostId)) {
    const name = image.name === null ? null : nameOf(image.name)
    try {
      await finishImage(deps, ownerOf(deps, image), image, name)
      deps.log.info({ image: image.id, host: hostId }, 'image given that was left on its host')
    } catch (error) {
      deps.log.warn({ image: image.id, host: hostId, reason: reasonOf(error) }, 'image left on a host not given')
      await giveUp(deps, image, error)
    }
  }
}

/** A host may say several times that it is connected. */
async function claimed({ store, cluster }: Deps, hostId: HostId): Promise<Pending[]> {
  // Most hosts have none; their transactions, which exclude all others, would hold everything up when all hosts come back at once.
  if ((await store.images.pendingOn(hostId)).length === 0) return []
  return store.transaction(async ({ images, duties }) => {
    const waiting = (await images.pendingOn(hostId)).filter(isPending).filter(({ status }) => status === 'queued')
    for (const { id } of waiting) {
      await images.update(id, { status: 'saving' })
      await duties.begin('image', id, cluster.self)
    }
    return waiting
  })
}

function isPending(image: Image): image is Pending {
  return image.pending !== null
}

function ownerOf({ ids }: Pick<Deps, 'ids'>, { projectId, userId }: Image): Caller {
  return {
    userId: (userId ?? '') as Caller['userId'],
    userName: '',
    projectId,
    projectName: '',
    roles: ['member'],
    isAdmin: false,
    requestId: `req-${ids.uuid()}` as Caller['requestId'],
  }
}

async function removeRef({ links, log }: Deps, hostId: HostId, engineRef: string): Promise<void> {
  const signal = AbortSignal.timeout(removeMs)
  try {
    await links.calls(hostId).imageRemove({ engineRef }, { signal })
  } catch (error) {
    if (error instanceof Fault && error.code === 'image.not-found') return
    log.warn({ image: engineRef, host: hostId, reason: reasonOf(error) }, 'image not removed from its host')
  }
}
