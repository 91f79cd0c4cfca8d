import type { CloudAttachment, CloudHolder, CloudVolume, Store } from '@gantry/control'
import type { ProjectId, SnapshotId, UserId, Volume, VolumeId } from '@gantry/model'
import type { KeptVolume } from './backend.ts'
import type { Found } from './refs.ts'

/** A volume with what is known of it here; `row` and the rest are empty of one that was never met. */
interface Known {
  readonly row: CloudVolume | undefined
  readonly attachments: readonly CloudAttachment[]
  readonly holders: readonly CloudHolder[]
}

/** What users are shown of volumes of other services. */
export async function viewsOf(store: Store, found: readonly Found<KeptVolume>[]): Promise<Volume[]> {
  const ids = found.map(({ it }) => it.id as VolumeId)
  const [rows, attachments, holders] = await Promise.all([
    store.cloudVolumes.getMany(ids),
    store.cloudAttachments.ofVolumes(ids),
    store.cloudHolders.ofVolumes(ids),
  ])
  const known = new Map(rows.map((row) => [row.id as string, row]))
  const ofAttachments = Map.groupBy(attachments, ({ volumeId }) => volumeId as string)
  const ofHolders = Map.groupBy(holders, ({ volumeId }) => volumeId as string)
  return found.map((one) =>
    viewOf(one, {
      row: known.get(one.it.id),
      attachments: ofAttachments.get(one.it.id) ?? [],
      holders: ofHolders.get(one.it.id) ?? [],
    }),
  )
}

/** Pure. */
function viewOf({ backend, it }: Found<KeptVolume>, { row, attachments, holders }: Known): Volume {
  const live = attachments.filter(({ leaving }) => !leaving)
  const held = holders.length > 0
  const problem = live.find((attachment) => attachment.problem !== null)?.problem ?? null
  const isShared = row?.shared === true
  return {
    id: it.id as VolumeId,
    projectId: it.projectId as ProjectId,
    userId: (it.userId || (row?.userId ?? '')) as UserId,
    name: it.name,
    size: it.size,
    // A share has no word for it.
    status: it.status === 'available' && held ? 'in-use' : it.status,
    statusReason: it.statusReason ?? problem,
    backend: backend.name,
    hostId: live.find(({ hostId }) => hostId !== null)?.hostId ?? null,
    containerId: isShared ? null : (holders[0]?.containerId ?? null),
    snapshotId: it.snapshotId as SnapshotId | null,
    ...(it.sourceVolumeId !== null && { sourceVolumeId: it.sourceVolumeId as VolumeId }),
    ...(it.volumeType !== null && { volumeType: it.volumeType }),
    ...((it.multiattach || backend.manyWriters) && { multiattach: true }),
    ephemeral: row?.ephemeral ?? false,
    ...(isShared && { shared: true }),
    ...(row?.labels && { labels: row.labels }),
    ...(row?.options && { options: row.options }),
    createdAt: it.createdAt,
  }
}
