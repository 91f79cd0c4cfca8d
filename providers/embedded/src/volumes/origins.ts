import type { KeptBackup, NewVolume, Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, HostId, Volume } from '@gantry/model'
import { invalid } from './parts.ts'
import { backupBy, called, snapshotBy, volumeBy } from './sight.ts'

/** What a new volume begins with. */
export interface Origin {
  /** GiB; the new one has at least as much. */
  readonly size: number
  /** How it is called in a sentence. */
  readonly words: string
  /** Where the data is, and the new volume must be; null: it can be brought to any host. */
  readonly hostId: HostId | null
  readonly fields: Pick<Volume, 'snapshotId' | 'sourceVolumeId' | 'backupId'>
  readonly backup: KeptBackup | null
}

/** null: with nothing. Throws if it is not there, or not whole. */
export async function originOf(tables: Tables, caller: Caller, input: NewVolume): Promise<Origin | null> {
  const { snapshot, volume, backup } = input
  if ([snapshot, volume, backup].filter((ref) => ref !== undefined).length > 1) {
    throw invalid('A volume is made from one of: a snapshot, another volume, a backup.')
  }
  if (snapshot !== undefined) return fromSnapshot(tables, caller, snapshot)
  if (volume !== undefined) return fromVolume(tables, caller, volume)
  return backup === undefined ? null : fromBackup(tables, caller, backup)
}

async function fromSnapshot(tables: Tables, caller: Caller, ref: string): Promise<Origin> {
  const found = await snapshotBy(tables, caller, ref)
  const { id, size, hostId } = found
  requireAvailable('snapshot', found)
  return { size, words: `snapshot ${called(found)}`, hostId, fields: { snapshotId: id }, backup: null }
}

async function fromVolume(tables: Tables, caller: Caller, ref: string): Promise<Origin> {
  const found = await volumeBy(tables, caller, ref)
  const { id, size } = found
  const hostId = requireData(found)
  const fields = { snapshotId: null, sourceVolumeId: id }
  return { size, words: `volume ${called(found)}`, hostId, fields, backup: null }
}

async function fromBackup(tables: Tables, caller: Caller, ref: string): Promise<Origin> {
  const backup = await backupBy(tables, caller, ref)
  requireAvailable('backup', backup)
  const fields = { snapshotId: null, backupId: backup.id }
  return { size: backup.size, words: `backup ${called(backup)}`, hostId: null, fields, backup }
}

/** The host of a volume that has data, whole, to be copied now. Throws `volume.state`. */
export function requireData(volume: Volume): HostId {
  const { hostId } = volume
  if (hostId !== null && (volume.status === 'available' || volume.status === 'in-use')) return hostId
  const status = hostId === null ? 'empty, since no container has had it yet' : volume.status
  throw new Fault('volume.state', { type: 'volume', ref: called(volume), status, needed: 'available or in-use' })
}

function requireAvailable(
  type: string,
  found: { readonly id: string; readonly name: string; readonly status: string },
): void {
  const { status } = found
  if (status === 'available') return
  throw new Fault('volume.state', { type, ref: called(found), status, needed: 'available' })
}
