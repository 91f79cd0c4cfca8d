import type { ContentTable, Upload, UploadId, UploadTable } from '@gantry/control'
import type { Digest, ProjectId, UserId } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import type { UploadRow } from '../image-database.ts'
import { inChunks } from '../in-chunks.ts'
import { below, manifestQueries } from './manifests.ts'

export function contentTable(db: Kysely<Database>): ContentTable {
  return { ...manifestQueries(db), ...blobQueries(db), ...layerQueries(db) }
}

type BlobQueries = Pick<
  ContentTable,
  | 'addBlob'
  | 'blob'
  | 'blobs'
  | 'holdBlob'
  | 'hasBlob'
  | 'releaseBlob'
  | 'idleBlobs'
  | 'bytesOf'
  | 'holders'
  | 'unheldBlobs'
  | 'removeBlob'
>

function blobQueries(db: Kysely<Database>): BlobQueries {
  const isUnheld = sql<boolean>`not exists (select 1 from blob_holds where blob_holds.digest = blobs.digest)
    and not exists (select 1 from manifest_parts where manifest_parts.digest = blobs.digest)`
  return {
    async addBlob({ digest, size, origin, at }) {
      await db
        .insertInto('blobs')
        .values({ digest, size, origin, used_at: at })
        .onConflict((conflict) =>
          conflict.column('digest').doUpdateSet({
            used_at: at,
            ...(origin !== null && { origin: sql<string>`coalesce(blobs.origin, ${origin})` }),
          }),
        )
        .execute()
    },
    async blob(digest) {
      const row = await db.selectFrom('blobs').selectAll().where('digest', '=', digest).executeTakeFirst()
      return row && { size: row.size, origin: row.origin, usedAt: row.used_at }
    },
    async blobs() {
      const rows = await db.selectFrom('blobs').select('digest').execute()
      return rows.map(({ digest }) => digest as Digest)
    },
    async holdBlob(projectId, digest, at) {
      await db
        .insertInto('blob_holds')
        .values({ project_id: projectId, digest, used_at: at })
        .onConflict((conflict) => conflict.columns(['project_id', 'digest']).doUpdateSet({ used_at: at }))
        .execute()
      await db.updateTable('blobs').set({ used_at: at }).where('digest', '=', digest).execute()
    },
    async hasBlob(projectId, digest) {
      const row = await db
        .selectFrom('blob_holds')
        .select('digest')
        .where('project_id', '=', projectId)
        .where('digest', '=', digest)
        .executeTakeFirst()
      return row !== undefined
    },
    async releaseBlob(projectId, digest) {
      await db.deleteFrom('blob_holds').where('project_id', '=', projectId).where('digest', '=', digest).execute()
    },
    async idleBlobs(projectId, usedBefore) {
      const { rows } = await sql<{ digest: string }>`
        with recursive ${below(sql`select digest, 0 as depth from manifest_holds where project_id = ${projectId}`)}
        select digest from blob_holds
        where project_id = ${projectId} and used_at < ${usedBefore}
          and digest not in (
            select manifest_parts.digest from manifest_parts join below on below.digest = manifest_parts.manifest
          )
          and digest not in (select digest from images where project_id = ${projectId} and digest is not null)`.execute(
        db,
      )
      return rows.map(({ digest }) => digest as Digest)
    },
    async bytesOf(projectId) {
      const { rows } = await sql<{ bytes: number }>`
        with recursive ${below(sql`select digest, 0 as depth from manifest_holds where project_id = ${projectId}`)}
        select coalesce((
          select sum(blobs.size) from blobs join blob_holds on blob_holds.digest = blobs.digest
          where blob_holds.project_id = ${projectId}
        ), 0) + coalesce((
          select sum(manifests.size) from manifests where manifests.digest in (select digest from below)
        ), 0) as bytes`.execute(db)
      return rows[0]?.bytes ?? 0
    },
    async holders() {
      const { rows } = await sql<{ project_id: string }>`
        select project_id from blob_holds union select project_id from manifest_holds`.execute(db)
      return rows.map(({ project_id: id }) => id as ProjectId)
    },
    async unheldBlobs(usedBefore) {
      const rows = await db
        .selectFrom('blobs')
        .select('digest')
        .where('used_at', '<', usedBefore)
        .where(isUnheld)
        .execute()
      return rows.map(({ digest }) => digest as Digest)
    },
    async removeBlob(digest, usedBefore) {
      const { numDeletedRows } = await db
        .deleteFrom('blobs')
        .where('digest', '=', digest)
        .where('used_at', '<', usedBefore)
        .where(isUnheld)
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },
  }
}

function layerQueries(db: Kysely<Database>): Pick<ContentTable, 'setLayerSizes' | 'layerSizes'> {
  return {
    async setLayerSizes(layers) {
      await inChunks(layers, async (chunk) => {
        await db
          .insertInto('layer_sizes')
          .values(chunk.map(({ diffId, size }) => ({ diff_id: diffId, size })))
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        return []
      })
    },
    async layerSizes(diffIds) {
      const rows = await inChunks([...new Set(diffIds)], (chunk) =>
        db.selectFrom('layer_sizes').selectAll().where('diff_id', 'in', chunk).execute(),
      )
      const sizes = new Map(rows.map((row) => [row.diff_id, row.size]))
      const known = diffIds.flatMap((diffId) => sizes.get(diffId) ?? [])
      return known.length === diffIds.length ? known : null
    },
  }
}

export function uploadTable(db: Kysely<Database>): UploadTable {
  return {
    async insert({ id, projectId, repo, userId, createdAt }) {
      await db
        .insertInto('uploads')
        .values({ id, project_id: projectId, repo, user_id: userId, created_at: createdAt })
        .execute()
    },
    async get(id) {
      const row = await db.selectFrom('uploads').selectAll().where('id', '=', id).executeTakeFirst()
      return row && uploadFromRow(row)
    },
    async remove(id) {
      await db.deleteFrom('uploads').where('id', '=', id).execute()
    },
    async stale(before) {
      const rows = await db.selectFrom('uploads').selectAll().where('created_at', '<', before).execute()
      return rows.map(uploadFromRow)
    },
    async ofProject(projectId) {
      const rows = await db.selectFrom('uploads').selectAll().where('project_id', '=', projectId).execute()
      return rows.map(uploadFromRow)
    },
  }
}

function uploadFromRow(row: UploadRow): Upload {
  return {
    id: row.id as UploadId,
    projectId: row.project_id as ProjectId,
    repo: row.repo,
    userId: row.user_id as UserId | null,
    createdAt: row.created_at,
  }
}
