import type { KeptBackup, VolumeVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Backup, BackupId, Caller, HostId } from '@gantry/model'
import type { BackupJobs } from './backup-jobs.ts'
import { requireHost, type VolumeHost } from './choose-host.ts'
import { enforceLimits } from './limits.ts'
import { requireData } from './origins.ts'
import { checkName, type Parts, transact, type Work } from './parts.ts'
import { backupBy, called, volumeBy } from './sight.ts'

export function backupVerbs(parts: Parts, jobs: BackupJobs): VolumeVerbs['backups'] {
  const { store, hosts } = parts
  return {
    create: async (caller, volume, name) => {
      const known = await hosts()
      const { backup, hostId } = await transact(parts, (work) => create(work, known, caller, { volume, name }))
      jobs.backUp(backup, hostId)
      return backup
    },
    list: async (caller) => (await store.backups.list(caller.projectId)).map(shown),
    get: async (caller, ref) => shown(await backupBy(store, caller, ref)),
    delete: async (caller, ref) => {
      const { id } = await transact(parts, async (work) => remove(work, await backupBy(work.tables, caller, ref)))
      await jobs.remove(id)
    },
  }
}

async function create(
  { tables, clock, ids, limits, cluster }: Work,
  known: readonly VolumeHost[],
  caller: Caller,
  asked: { readonly volume: string; readonly name: string },
): Promise<{ backup: Backup; hostId: HostId }> {
  checkName(asked.name, 'backup')
  const volume = await volumeBy(tables, caller, asked.volume)
  const hostId = requireData(volume)
  const { size } = volume
  await enforceLimits(tables, limits, volume.projectId, { resource: 'backups', gigabytes: size })
  // Not left for later: a backup is of this moment. Its host keeps a copy while that is on its way.
  await requireHost(tables, known, hostId, 0)
  const backup: Backup = {
    id: ids.uuid() as BackupId,
    projectId: volume.projectId,
    name: asked.name,
    volumeId: volume.id,
    size,
    status: 'creating',
    statusReason: null,
    createdAt: clock.now(),
  }
  await tables.backups.insert({ ...backup, sha256: null })
  await tables.duties.begin('backup', backup.id, cluster.self)
  return { backup, hostId }
}

async function remove({ tables }: Work, backup: KeptBackup): Promise<KeptBackup> {
  const volumes = await tables.volumes.list(null)
  const restoring = volumes.find(({ backupId, status }) => backupId === backup.id && status === 'creating')
  if (restoring) {
    const reason = `volume ${called(restoring)} is being made from it`
    throw new Fault('volume.in-use', { type: 'backup', ref: called(backup), reason })
  }
  await tables.backups.update(backup.id, { status: 'deleting', statusReason: null })
  return backup
}

/** Without what is only for the server to know. */
function shown(backup: KeptBackup): Backup {
  const { id, projectId, name, volumeId, size, status, statusReason, createdAt } = backup
  return { id, projectId, name, volumeId, size, status, statusReason, createdAt }
}
