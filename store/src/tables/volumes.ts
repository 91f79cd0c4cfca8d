import type { VolumeTables } from '@gantry/control'
import type {
  BackupId,
  ContainerId,
  HostId,
  ProjectId,
  Snapshot,
  SnapshotId,
  UserId,
  Volume,
  VolumeBackendName,
  VolumeId,
  VolumeStatus,
} from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import { type Columns, flag, mark, maybeJson, maybeText, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { agedRows } from './aged-rows.ts'

const volumeColumns: Columns<Volume> = {
  id: text<VolumeId>('id'),
  projectId: text<ProjectId>('project_id'),
  userId: text<UserId>('user_id'),
  name: text('name'),
  size: number('size'),
  status: text<VolumeStatus>('status'),
  statusReason: text<string | null>('status_reason'),
  hostId: text<HostId | null>('host_id'),
  containerId: text<ContainerId | null>('container_id'),
  snapshotId: text<SnapshotId | null>('snapshot_id'),
  sourceVolumeId: maybeText<VolumeId>('source_volume_id'),
  backupId: maybeText<BackupId>('backup_id'),
  backend: maybeText<VolumeBackendName>('backend'),
  volumeType: maybeText('volume_type'),
  multiattach: mark('multiattach'),
  ephemeral: flag('ephemeral'),
  shared: mark('shared'),
  labels: maybeJson<Readonly<Record<string, string>>>('labels'),
  options: maybeJson<Readonly<Record<string, string>>>('options'),
  createdAt: number('created_at'),
}

export function volumeTable(db: Kysely<Database>): VolumeTables['volumes'] {
  const rows = agedRows(db, { table: 'volumes', columns: volumeColumns })
  return {
    insert: (volume) => rows.insert(volume),
    get: (id) => rows.get(id),
    getMany: (ids) => rows.whereIn('id', ids),
    list: (projectId) => rows.where(projectId === null ? {} : { projectId }),
    ofHost: (hostId) => rows.where({ hostId }),
    async ofContainer(containerId) {
      const held = await db
        .selectFrom('volume_holders')
        .select('volume_id')
        .where('container_id', '=', containerId)
        .execute()
      const shared = await rows.whereIn(
        'id',
        held.map((row) => row.volume_id as VolumeId),
      )
      return [...(await rows.where({ containerId })), ...shared]
    },
    async holdersOf(id) {
      const held = await db
        .selectFrom('volume_holders')
        .select('container_id')
        .where('volume_id', '=', id)
        .orderBy('container_id')
        .execute()
      return held.map((row) => row.container_id as ContainerId)
    },
    async hold(id, containerId) {
      await db
        .insertInto('volume_holders')
        .values({ volume_id: id, container_id: containerId })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async letGo(id, containerId) {
      await db
        .deleteFrom('volume_holders')
        .where('volume_id', '=', id)
        .where('container_id', '=', containerId)
        .execute()
    },
    update: (id, change) => rows.update(id, change),
    async remove(id) {
      await db.deleteFrom('volume_holders').where('volume_id', '=', id).execute()
      await rows.remove(id)
    },
    async usageOf(project) {
      return db
        .selectFrom('volumes')
        .select([sql<number>`count(*)`.as('volumes'), sql<number>`coalesce(sum(size), 0)`.as('gigabytes')])
        .where('project_id', '=', project)
        .executeTakeFirstOrThrow()
    },
  }
}

const snapshotColumns: Columns<Snapshot> = {
  id: text<SnapshotId>('id'),
  projectId: text<ProjectId>('project_id'),
  name: text('name'),
  volumeId: text<VolumeId>('volume_id'),
  size: number('size'),
  status: text<Snapshot['status']>('status'),
  statusReason: text<string | null>('status_reason'),
  hostId: text<HostId | null>('host_id'),
  createdAt: number('created_at'),
}

export function snapshotTable(db: Kysely<Database>): VolumeTables['snapshots'] {
  const rows = agedRows(db, { table: 'snapshots', columns: snapshotColumns })
  return {
    insert: (snapshot) => rows.insert(snapshot),
    get: (id) => rows.get(id),
    list: (projectId) => rows.where(projectId === null ? {} : { projectId }),
    ofHost: (hostId) => rows.where({ hostId }),
    ofVolume: (volumeId) => rows.where({ volumeId }),
    update: (id, change) => rows.update(id, change),
    remove: (id) => rows.remove(id),
    countOf: (projectId) => rows.count({ projectId }),
  }
}
