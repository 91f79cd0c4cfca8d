import type { Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { ProjectId } from '@gantry/model'

/** How much a project may have; -1: no limit. */
export interface VolumeLimits {
  readonly volumes: number
  readonly snapshots: number
  /** GiB of volumes and snapshots together. */
  readonly gigabytes: number
  readonly backups: number
  /** GiB of the volumes that they are of, each counted as often as it is backed up. */
  readonly backupGigabytes: number
}

/** Cinder's, with more volumes and snapshots: a container brings some of its own. */
export const defaultLimits: VolumeLimits = {
  volumes: 50,
  snapshots: 50,
  gigabytes: 1000,
  backups: 10,
  backupGigabytes: 1000,
}

/** What is to be had more than now; `gigabytes` in GiB. */
export interface Asked {
  readonly resource: 'volumes' | 'snapshots' | 'backups' | 'extension'
  readonly gigabytes: number
}

/** Throws `quota.exceeded` if that does not fit. Call inside the transaction that writes it. */
export async function enforceLimits(
  tables: Tables,
  limits: VolumeLimits,
  projectId: ProjectId,
  { resource, gigabytes }: Asked,
): Promise<void> {
  if (resource === 'backups') {
    const used = await tables.backups.usageOf(projectId)
    requireRoom('backups', limits.backups, used.backups, 1)
    return requireRoom('backup_gigabytes', limits.backupGigabytes, used.gigabytes, gigabytes)
  }
  const { volumes, gigabytes: inVolumes } = await tables.volumes.usageOf(projectId)
  const snapshots = await tables.snapshots.list(projectId)
  const inSnapshots = snapshots.reduce((sum, { size }) => sum + size, 0)
  if (resource === 'volumes') requireRoom(resource, limits.volumes, volumes, 1)
  if (resource === 'snapshots') requireRoom(resource, limits.snapshots, snapshots.length, 1)
  requireRoom('gigabytes', limits.gigabytes, inVolumes + inSnapshots, gigabytes)
}

function requireRoom(resource: string, limit: number, used: number, asked: number): void {
  if (limit >= 0 && used + asked > limit) throw new Fault('quota.exceeded', { resource, limit, used, asked })
}
