import type {
  CloudAttachment,
  CloudAttachmentTable,
  CloudHolder,
  CloudHolderTable,
  CloudVolume,
  CloudVolumeTable,
} from '@gantry/control'
import type { ContainerId, HostId, ProjectId, UserId, VolumeId } from '@gantry/model'
import type { Insertable, Kysely } from 'kysely'
import { type Columns, flag, fromRow, json, number, text, toRow } from '../columns.ts'
import type { CloudAttachmentRow, CloudHolderRow, CloudVolumeRow, Database } from '../database.ts'
import { inChunks } from '../in-chunks.ts'

const volumeColumns: Columns<CloudVolume> = {
  id: text<VolumeId>('id'),
  backend: text<CloudVolume['backend']>('backend'),
  projectId: text<ProjectId>('project_id'),
  userId: text<UserId>('user_id'),
  size: number('size'),
  containerId: text<ContainerId | null>('container_id'),
  ephemeral: flag('ephemeral'),
  shared: flag('shared'),
  multiattach: flag('multiattach'),
  blank: flag('blank'),
  maybeBlank: flag('maybe_blank'),
  fsType: text('fs_type'),
  labels: json('labels'),
  options: json('options'),
  leaving: flag('leaving'),
  createdAt: number('created_at'),
}

export function cloudVolumeTable(db: Kysely<Database>): CloudVolumeTable {
  const rows = () => db.selectFrom('cloud_volumes').selectAll().orderBy('created_at').orderBy('id')
  const read = (row: CloudVolumeRow) => fromRow(volumeColumns, { ...row })
  return {
    async insert(volume) {
      const values = toRow(volumeColumns, volume) as unknown as Insertable<CloudVolumeRow>
      const inserted = await db
        .insertInto('cloud_volumes')
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n
    },
    async get(id) {
      const row = await rows().where('id', '=', id).executeTakeFirst()
      return row && read(row)
    },
    getMany: async (ids) => (await inChunks(ids, (chunk) => rows().where('id', 'in', chunk).execute())).map(read),
    madeFor: async (id) => (await rows().where('container_id', '=', id).execute()).map(read),
    async update(id, change) {
      const row = toRow(volumeColumns, change)
      if (Object.keys(row).length > 0) await db.updateTable('cloud_volumes').set(row).where('id', '=', id).execute()
    },
    async remove(id) {
      await db.deleteFrom('cloud_volumes').where('id', '=', id).execute()
    },
    leaving: async () => (await rows().where('leaving', '=', 1).execute()).map(read),
    list: async () => (await rows().execute()).map(read),
  }
}

const attachmentColumns: Columns<CloudAttachment> = {
  id: text('id'),
  volumeId: text<VolumeId>('volume_id'),
  owner: text('owner'),
  serviceId: text<string | null>('service_id'),
  hostId: text<HostId | null>('host_id'),
  writable: flag('writable'),
  sealedConnection: text<string | null>('sealed_connection'),
  mounted: flag('mounted'),
  completed: flag('completed'),
  byService: flag('by_service'),
  leaving: flag('leaving'),
  problem: text<string | null>('problem'),
  createdAt: number('created_at'),
}

export function cloudAttachmentTable(db: Kysely<Database>): CloudAttachmentTable {
  const rows = () => db.selectFrom('cloud_attachments').selectAll().orderBy('created_at').orderBy('id')
  const read = (row: CloudAttachmentRow) => fromRow(attachmentColumns, { ...row })
  return {
    async insert(attachment) {
      const values = toRow(attachmentColumns, attachment) as unknown as Insertable<CloudAttachmentRow>
      await db.insertInto('cloud_attachments').values(values).execute()
    },
    async get(id) {
      const row = await rows().where('id', '=', id).executeTakeFirst()
      return row && read(row)
    },
    ofVolume: async (id) => (await rows().where('volume_id', '=', id).execute()).map(read),
    ofVolumes: async (ids) =>
      (await inChunks(ids, (chunk) => rows().where('volume_id', 'in', chunk).execute())).map(read),
    ofHost: async (id) => (await rows().where('host_id', '=', id).execute()).map(read),
    async update(id, change) {
      const row = toRow(attachmentColumns, change)
      if (Object.keys(row).length > 0) await db.updateTable('cloud_attachments').set(row).where('id', '=', id).execute()
    },
    async remove(id) {
      await db.deleteFrom('cloud_attachments').where('id', '=', id).execute()
    },
    async due() {
      const due = await rows()
        .where((where) =>
          where.or([
            where('leaving', '=', 1),
            where.and([where('by_service', '=', 1), where('service_id', 'is', null)]),
            where.and([
              where('host_id', 'is not', null),
              where('service_id', 'is not', null),
              where('sealed_connection', 'is', null),
            ]),
            where.and([where('mounted', '=', 1), where('completed', '=', 0)]),
          ]),
        )
        .execute()
      return due.map(read)
    },
    list: async () => (await rows().execute()).map(read),
  }
}

const holderColumns: Columns<CloudHolder> = {
  containerId: text<ContainerId>('container_id'),
  volumeId: text<VolumeId>('volume_id'),
  attachmentId: text('attachment_id'),
  readOnly: flag('read_only'),
  createdAt: number('created_at'),
}

export function cloudHolderTable(db: Kysely<Database>): CloudHolderTable {
  const rows = () => db.selectFrom('cloud_holders').selectAll().orderBy('created_at').orderBy('container_id')
  const read = (row: CloudHolderRow) => fromRow(holderColumns, { ...row })
  return {
    async put(holder) {
      const values = toRow(holderColumns, holder) as unknown as Insertable<CloudHolderRow>
      const { attachment_id, read_only } = values
      await db
        .insertInto('cloud_holders')
        .values(values)
        .onConflict((conflict) =>
          conflict.columns(['container_id', 'volume_id']).doUpdateSet({ attachment_id, read_only }),
        )
        .execute()
    },
    ofContainer: async (id) => (await rows().where('container_id', '=', id).execute()).map(read),
    ofAttachment: async (id) => (await rows().where('attachment_id', '=', id).execute()).map(read),
    ofVolume: async (id) => (await rows().where('volume_id', '=', id).execute()).map(read),
    ofVolumes: async (ids) =>
      (await inChunks(ids, (chunk) => rows().where('volume_id', 'in', chunk).execute())).map(read),
    async remove(containerId, volumeId) {
      await db
        .deleteFrom('cloud_holders')
        .where('container_id', '=', containerId)
        .where('volume_id', '=', volumeId)
        .execute()
    },
    list: async () => (await rows().execute()).map(read),
  }
}
