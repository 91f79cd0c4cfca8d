import type { KeptBackup, Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { BackupId, Caller, ProjectId, Snapshot, SnapshotId, Volume, VolumeId } from '@gantry/model'

/** What a caller means by a ref: in its own project by id or name, and for an administrator in all of them by id. */
export async function volumeBy(tables: Tables, caller: Caller, ref: string): Promise<Volume> {
  const exact = await tables.volumes.get(ref as VolumeId)
  return pick('volume', caller, ref, exact, () => tables.volumes.list(caller.projectId))
}

/** As `volumeBy`. */
export async function snapshotBy(tables: Tables, caller: Caller, ref: string): Promise<Snapshot> {
  const exact = await tables.snapshots.get(ref as SnapshotId)
  return pick('snapshot', caller, ref, exact, () => tables.snapshots.list(caller.projectId))
}

/** As `volumeBy`. */
export async function backupBy(tables: Tables, caller: Caller, ref: string): Promise<KeptBackup> {
  const exact = await tables.backups.get(ref as BackupId)
  return pick('backup', caller, ref, exact, () => tables.backups.list(caller.projectId))
}

interface Owned {
  readonly name: string
  readonly projectId: ProjectId
}

async function pick<T extends Owned>(
  type: string,
  caller: Caller,
  ref: string,
  exact: T | undefined,
  ownOnes: () => Promise<T[]>,
): Promise<T> {
  if (exact && (caller.isAdmin || exact.projectId === caller.projectId)) return exact
  const [first, second] = ref === '' ? [] : (await ownOnes()).filter(({ name }) => name === ref)
  if (!first) throw new Fault('volume.not-found', { type, ref })
  if (second) throw new Fault('volume.ambiguous', { type, name: ref })
  return first
}

/** How a volume or snapshot is called in a sentence. */
export function called({ id, name }: { readonly id: string; readonly name: string }): string {
  return name === '' ? id : name
}
