import { Fault } from '@gantry/kernel'
import type { Volume } from '@gantry/model'
import { requireHost, type VolumeHost } from './choose-host.ts'
import { requireNoCopies } from './in-the-making.ts'
import { enforceLimits } from './limits.ts'
import { checkSize, invalid, type Work } from './parts.ts'
import { called } from './sight.ts'

/**
 * Gives a volume more room. What it is to have is written and counted at once; its host brings it about, however often it is
 * told. Where a reason says that it could not, the same size may be asked for again.
 */
export async function extendVolume(
  { tables, limits, changed }: Work,
  known: readonly VolumeHost[],
  volume: Volume,
  asked: number,
): Promise<Volume> {
  const size = checkSize(asked)
  const { status } = volume
  if (status === 'creating' || status === 'deleting') {
    throw new Fault('volume.state', { type: 'volume', ref: called(volume), status, needed: 'available or in-use' })
  }
  const again = volume.statusReason !== null && size === volume.size
  if (size <= volume.size && !again) {
    throw invalid(`The volume has ${volume.size} GiB already; it can be given more, never less.`)
  }
  await requireNoCopies(tables, volume)
  const more = size - volume.size
  await enforceLimits(tables, limits, volume.projectId, { resource: 'extension', gigabytes: more })
  if (volume.hostId !== null) await requireHost(tables, known, volume.hostId, more)
  if (!again) await tables.volumes.update(volume.id, { size })
  // One that waits for its first container is made with its new size.
  if (volume.hostId !== null) changed(volume)
  return { ...volume, size }
}
