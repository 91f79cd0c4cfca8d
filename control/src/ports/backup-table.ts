import type { Backup, BackupId, ProjectId, VolumeId } from '@gantry/model'

/** A backup whose content lies with the server. */
export interface KeptBackup extends Backup {
  /** Of the content, in hex; null: not whole yet. */
  readonly sha256: string | null
}

/** The backups of volumes on hosts. Lists are ordered by age. */
export interface BackupTable {
  insert(backup: KeptBackup): Promise<void>
  get(id: BackupId): Promise<KeptBackup | undefined>
  /** null: of every project. */
  list(project: ProjectId | null): Promise<KeptBackup[]>
  ofVolume(id: VolumeId): Promise<KeptBackup[]>
  update(id: BackupId, change: Partial<Pick<KeptBackup, 'name' | 'status' | 'statusReason' | 'sha256'>>): Promise<void>
  remove(id: BackupId): Promise<void>
  /** Count and GiB. */
  usageOf(project: ProjectId): Promise<{ backups: number; gigabytes: number }>
}
