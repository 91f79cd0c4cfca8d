import type { VolumeVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Volume } from '@gantry/model'
import type { BackupJobs } from './backup-jobs.ts'
import type { VolumeHost } from './choose-host.ts'
import { extendVolume } from './extend-volume.ts'
import { requireNoCopies } from './in-the-making.ts'
import { createVolume } from './new-volume.ts'
import { checkName, type Parts, transact, type Work } from './parts.ts'
import { isRestoring } from './plans.ts'
import { called, volumeBy } from './sight.ts'

export function volumeVerbs(parts: Parts, jobs: BackupJobs): VolumeVerbs['volumes'] {
  const { store, hosts } = parts
  return {
    create: async (caller, input) => {
      const known = await hosts()
      const volume = await transact(parts, async (work) => {
        const made = await createVolume(work, known, caller, input)
        if (isRestoring(made)) await work.tables.duties.begin('backup', made.id, work.cluster.self)
        return made
      })
      if (isRestoring(volume)) jobs.restore(volume)
      return volume
    },
    list: async (caller, { allProjects = false } = {}) => {
      if (allProjects && !caller.isAdmin) {
        throw new Fault('policy.forbidden', { action: 'Listing all projects', reason: 'it needs the admin role' })
      }
      const known = await hosts()
      const volumes = await store.volumes.list(allProjects ? null : caller.projectId)
      return volumes.map((volume) => withReason(volume, known))
    },
    get: async (caller, ref) => withReason(await volumeBy(store, caller, ref), await hosts()),
    rename: (caller, ref, name) =>
      transact(parts, async ({ tables }) => {
        checkName(name, 'volume')
        const volume = await volumeBy(tables, caller, ref)
        await tables.volumes.update(volume.id, { name })
        return { ...volume, name }
      }),
    extend: async (caller, ref, size) => {
      const known = await hosts()
      return transact(parts, async (work) => {
        const volume = await volumeBy(work.tables, caller, ref)
        return withReason(await extendVolume(work, known, volume, size), known)
      })
    },
    delete: async (caller, ref) => {
      const known = await hosts()
      const { id } = await transact(parts, async (work) => {
        const volume = await volumeBy(work.tables, caller, ref)
        await remove(work, known, volume)
        return volume
      })
      await jobs.giveUp(id)
    },
  }
}

async function remove({ tables, changed }: Work, known: readonly VolumeHost[], volume: Volume): Promise<void> {
  const refuse = (reason: string) => new Fault('volume.in-use', { type: 'volume', ref: called(volume), reason })
  if (volume.containerId !== null) throw refuse(`container ${volume.containerId} has it`)
  const [holder] = await tables.volumes.holdersOf(volume.id)
  if (holder !== undefined) throw refuse(`container ${holder} has it`)
  const snapshots = await tables.snapshots.ofVolume(volume.id)
  if (snapshots.length > 0) throw refuse(`${snapshots.length} of its snapshots exist; delete those first`)
  await requireNoCopies(tables, volume)
  // Nobody is left who could take the data away, or say that it is gone.
  if (!known.some(({ id }) => id === volume.hostId)) return tables.volumes.remove(volume.id)
  await tables.volumes.update(volume.id, { status: 'deleting', statusReason: null })
  changed(volume)
}

/** What the store cannot know: that the host of its data is away. */
function withReason(volume: Volume, known: readonly VolumeHost[]): Volume {
  if (volume.statusReason !== null || volume.hostId === null) return volume
  const host = known.find(({ id }) => id === volume.hostId)
  if (!host) return { ...volume, statusReason: 'The host of its data is no longer part of this cloud.' }
  return host.up ? volume : { ...volume, statusReason: 'The host of its data is not connected.' }
}
