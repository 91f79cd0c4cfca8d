import type { CloudAttachment, CloudVolume, Tables } from '@gantry/control'
import type { ContainerId, HostId, Mount, VolumeId } from '@gantry/model'
import type { Bells, Parts } from './parts.ts'

type Sketch = Pick<CloudAttachment, 'volumeId' | 'owner' | 'writable'> & Partial<CloudAttachment>

/** A row for what is about to be reserved. */
export function attachmentRow({ clock, ids }: Pick<Parts, 'clock' | 'ids'>, sketch: Sketch): CloudAttachment {
  return {
    id: ids.uuid(),
    serviceId: null,
    hostId: null,
    sealedConnection: null,
    mounted: false,
    completed: false,
    byService: false,
    leaving: false,
    problem: null,
    createdAt: clock.now(),
    ...sketch,
  }
}

/** The volumes among these mounts, each once. Pure. */
export function volumesIn(mounts: readonly Mount[]): VolumeId[] {
  return [...new Set(mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volumeId] : [])))]
}

/** To be given back; its host is to let go of the volume, if it still has it. */
export async function leave(
  tables: Tables,
  bells: Bells,
  { id, hostId, volumeId }: Pick<CloudAttachment, 'id' | 'hostId' | 'volumeId'>,
): Promise<void> {
  await tables.cloudAttachments.update(id, { leaving: true })
  if (hostId !== null) bells.changed(hostId, volumeId)
  bells.wake()
}

/**
 * The container has nothing any more: what it alone held is given back, and what goes with it is deleted. May be repeated, and
 * be called for one that never was.
 */
export async function letGo(tables: Tables, bells: Bells, containerId: ContainerId): Promise<VolumeId[]> {
  const touched = new Set<VolumeId>()
  for (const { volumeId, attachmentId } of await tables.cloudHolders.ofContainer(containerId)) {
    await tables.cloudHolders.remove(containerId, volumeId)
    touched.add(volumeId)
    if ((await tables.cloudHolders.ofAttachment(attachmentId)).length > 0) continue
    const attachment = await tables.cloudAttachments.get(attachmentId)
    if (attachment && !attachment.leaving) await leave(tables, bells, attachment)
  }
  const made = await tables.cloudVolumes.madeFor(containerId)
  for (const volume of [...made, ...(await tables.cloudVolumes.getMany([...touched]))]) {
    if (await endsNow(tables, volume, containerId)) {
      await tables.cloudVolumes.update(volume.id, { leaving: true })
      touched.add(volume.id)
      bells.wake()
    }
  }
  return [...touched]
}

/** What is to outlive its container goes with one that was never written. */
async function endsNow(tables: Tables, volume: CloudVolume, containerId: ContainerId): Promise<boolean> {
  const { id, ephemeral, leaving } = volume
  if (leaving || !(ephemeral || volume.containerId === containerId)) return false
  return (await tables.cloudHolders.ofVolume(id)).length === 0
}

/** The attachment that serves a volume's containers on a host, if there is one that stays. Pure. */
export function liveOn(attachments: readonly CloudAttachment[], hostId: HostId): CloudAttachment | undefined {
  return attachments.find((attachment) => attachment.hostId === hostId && !attachment.leaving)
}
