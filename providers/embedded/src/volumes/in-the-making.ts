import type { Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Volume } from '@gantry/model'
import { called } from './sight.ts'

/** Throws `volume.in-use` while something is being made of this volume's data: it must neither go nor change its size. */
export async function requireNoCopies(tables: Tables, volume: Volume): Promise<void> {
  const { id, hostId } = volume
  if (hostId === null) return
  const clones = (await tables.volumes.ofHost(hostId)).filter(({ sourceVolumeId }) => sourceVolumeId === id)
  const kinds = {
    volume: clones,
    snapshot: await tables.snapshots.ofVolume(id),
    backup: await tables.backups.ofVolume(id),
  }
  for (const [kind, copies] of Object.entries(kinds)) {
    const copy = copies.find(({ status }) => status === 'creating')
    if (!copy) continue
    const reason = `${kind} ${called(copy)} is being made of it`
    throw new Fault('volume.in-use', { type: 'volume', ref: called(volume), reason })
  }
}
