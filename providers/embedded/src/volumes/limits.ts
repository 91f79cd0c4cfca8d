import type { Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { ProjectId } from '@gantry/model'

/** How much a project may have; -1: no limit. */
export interface VolumeLimits {
  readonly volumes: number
  readonly snapshots: number
  /** GiB of volumes and snapshots together. */
  readonly gigabytes: number
}

/** Cinder's, with more volumes and snapshots: a container brings some of its own. */
export const defaultLimits: VolumeLimits = { volumes: 50, snapshots: 50, gigabytes: 1000 }

/** Throws `quota.exceeded` if one more volume or snapshot of `size` GiB does not fit. Call inside the transaction that writes it. */
export async function enforceLimits(
  tables: Tables,
  limits: VolumeLimits,
  projectId: ProjectId,
  asked: { readonly resource: 'volumes' | 'snapshots'; readonly size: number },
): Promise<void> {
  const { volumes, gigabytes } = await tables.volumes.usageOf(projectId)
  const snapshots = await tables.snapshots.list(projectId)
  const inSnapshots = snapshots.reduce((sum, { size }) => sum + size, 0)
  const used = { volumes, snapshots: snapshots.length, gigabytes: gigabytes + inSnapshots }
  requireRoom(asked.resource, limits[asked.resource], used[asked.resource], 1)
  requireRoom('gigabytes', limits.gigabytes, used.gigabytes, asked.size)
}

function requireRoom(resource: string, limit: number, used: number, asked: number): void {
  if (limit >= 0 && used + asked > limit) throw new Fault('quota.exceeded', { resource, limit, used, asked })
}
