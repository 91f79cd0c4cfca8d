import type { BackupTable, KeptBackup } from '@gantry/control'
import type { BackupId, ProjectId, VolumeId } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import { type Columns, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { agedRows } from './aged-rows.ts'

const columns: Columns<KeptBackup> = {
  id: text<BackupId>('id'),
  projectId: text<ProjectId>('project_id'),
  name: text('name'),
  volumeId: text<VolumeId>('volume_id'),
  size: number('size'),
  status: text<KeptBackup['status']>('status'),
  statusReason: text<string | null>('status_reason'),
  sha256: text<string | null>('sha256'),
  createdAt: number('created_at'),
}

export function backupTable(db: Kysely<Database>): BackupTable {
  const rows = agedRows(db, { table: 'backups', columns })
  return {
    insert: (backup) => rows.insert(backup),
    get: (id) => rows.get(id),
    list: (projectId) => rows.where(projectId === null ? {} : { projectId }),
    ofVolume: (volumeId) => rows.where({ volumeId }),
    update: (id, change) => rows.update(id, change),
    remove: (id) => rows.remove(id),
    async usageOf(project) {
      return db
        .selectFrom('backups')
        .select([sql<number>`count(*)`.as('backups'), sql<number>`coalesce(sum(size), 0)`.as('gigabytes')])
        .where('project_id', '=', project)
        .executeTakeFirstOrThrow()
    },
  }
}
