import type { Tables } from '@gantry/control'
import type { ContainerId, ProjectId, UserId, VolumeId } from '@gantry/model'
import { noteLost } from './attach-steps.ts'
import type { KeptVolume, VolumeBackend } from './backend.ts'
import type { MakerParts } from './make-volumes.ts'
import { marks } from './parts.ts'
import { leave, letGo } from './rows.ts'
import { noteSize } from './volume-verbs.ts'

/** Rows that are younger may be of a container that is being written. Milliseconds. */
const graceMs = 5 * 60_000

export interface SweepParts extends MakerParts {
  /** When this process began; containers that its predecessor was writing will not be written. */
  readonly startedAt: number
}

/**
 * Finds what somebody who died left half done: what containers hold that were never written, volumes that were made for them, and
 * rows of volumes that are no more. Notes attachments that are gone from their service though containers have them.
 */
export async function sweepVolumes(parts: SweepParts): Promise<void> {
  await releaseUnwritten(parts)
  parts.bells.wake()
  for (const backend of await parts.there()) {
    // First what is at the service, then what is being made, then the rows: what is in none of the later ones is nobody's.
    const marked = await backend.own.marked(marks.deployment, parts.deployment)
    const making = await parts.making.now()
    for (const volume of marked) {
      await noteStray(parts, backend, volume, making)
      await noteSize(parts, volume)
    }
    await forgetGone(parts, backend, new Set(marked.map(({ id }) => id)))
    await findLost(parts, backend)
  }
}

async function releaseUnwritten({ store, clock, startedAt, bells, making }: SweepParts): Promise<void> {
  const inHand = await making.now()
  await store.transaction(async (tables) => {
    const before = Math.max(startedAt, clock.now() - graceMs)
    const isOld = ({ createdAt }: { readonly createdAt: number }) => createdAt < before
    const owners = new Set<ContainerId>()
    for (const { containerId, ...holder } of await tables.cloudHolders.list())
      if (isOld(holder)) owners.add(containerId)
    for (const { containerId, ...volume } of await tables.cloudVolumes.list()) {
      if (containerId !== null && !volume.leaving && isOld(volume)) owners.add(containerId)
    }
    for (const id of owners) {
      if (!inHand.has(id) && !(await tables.containers.get(id))) await letGo(tables, bells, id)
    }
    for (const attachment of (await tables.cloudAttachments.list()).filter(isOld)) {
      if (attachment.leaving || inHand.has(attachment.owner)) continue
      if ((await tables.cloudHolders.ofAttachment(attachment.id)).length === 0) await leave(tables, bells, attachment)
    }
  })
}

/** Made for a container, by who did not live to write it down. What is attached, or was unmarked by its user, stays. */
async function noteStray(
  { store, log, clock, bells }: SweepParts,
  backend: VolumeBackend,
  volume: KeptVolume,
  making: ReadonlySet<string>,
): Promise<void> {
  const containerId = volume.metadata[marks.container] as ContainerId | undefined
  if (containerId === undefined || making.has(containerId) || volume.status !== 'available') return
  const id = volume.id as VolumeId
  const inserted = await store.transaction(async (tables: Tables) => {
    if ((await tables.containers.get(containerId)) || (await tables.cloudVolumes.get(id))) return false
    return tables.cloudVolumes.insert({
      id,
      backend: backend.name,
      projectId: volume.projectId as ProjectId,
      userId: volume.userId as UserId,
      size: volume.size,
      containerId,
      ephemeral: true,
      shared: false,
      multiattach: volume.multiattach,
      blank: false,
      maybeBlank: false,
      fsType: '',
      labels: null,
      options: null,
      leaving: true,
      createdAt: clock.now(),
    })
  })
  if (!inserted) return
  log.warn({ volume: id, container: containerId }, 'a volume belongs to no container and is deleted')
  bells.wake()
}

/** Somebody deleted the volume at its service. */
async function forgetGone({ store }: SweepParts, backend: VolumeBackend, there: ReadonlySet<string>): Promise<void> {
  for (const { id, leaving, backend: name } of await store.cloudVolumes.list()) {
    if (name !== backend.name || leaving || there.has(id)) continue
    if ((await store.cloudAttachments.ofVolume(id)).length > 0 || (await backend.own.get(id))) continue
    await store.transaction(async (tables) => {
      if ((await tables.cloudAttachments.ofVolume(id)).length === 0) await tables.cloudVolumes.remove(id)
    })
  }
}

/** Somebody deleted the attachment at its service, though containers have the volume. */
async function findLost(parts: SweepParts, backend: VolumeBackend): Promise<void> {
  const { store } = parts
  const ours = new Set(
    (await store.cloudVolumes.list()).filter(({ backend: name }) => name === backend.name).map(({ id }) => id),
  )
  for (const row of await store.cloudAttachments.list()) {
    const { id, volumeId, owner, writable, serviceId, leaving } = row
    // Where nothing is reserved there is nothing to be lost before a host is connected.
    if (!ours.has(volumeId) || leaving || serviceId === null || serviceId === owner) continue
    const found = await backend.attachments.find({ volumeId, owner, readOnly: !writable })
    if (found.includes(serviceId)) continue
    const now = await store.cloudAttachments.get(id)
    if (now?.serviceId === serviceId && !now.leaving) await noteLost(parts, now)
  }
}
