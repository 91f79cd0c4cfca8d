import type { ImageTable, Scope } from '@gantry/control'
import type { HostId, Image, ImageId, ProjectId, UserId } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database, ImageRow } from '../database.ts'

export function imageTable(db: Kysely<Database>): ImageTable {
  const selected = () =>
    db
      .selectFrom('images')
      .leftJoin('hosts', 'hosts.id', 'images.host_id')
      .selectAll('images')
      .select(sql<string>`coalesce(hosts.name, '')`.as('host_name'))
  return {
    async insert(image) {
      await db.insertInto('images').values(toRow(image)).execute()
    },
    async update(id, change) {
      const columns: Partial<ImageRow> = {
        ...(change.hostId !== undefined && { host_id: change.hostId }),
        ...(change.repo !== undefined && { repo: change.repo }),
        ...(change.tag !== undefined && { tag: change.tag }),
        ...(change.engineRef !== undefined && { engine_ref: change.engineRef }),
        ...(change.imageId !== undefined && { image_id: change.imageId }),
        ...(change.size !== undefined && { size: change.size }),
        ...(change.digest !== undefined && { digest: change.digest }),
        ...(change.fetched !== undefined && { fetched: change.fetched ? 1 : null }),
        ...(change.createdAt !== undefined && { created_at: change.createdAt }),
      }
      await db.updateTable('images').set(columns).where('id', '=', id).execute()
    },
    async get(id) {
      const row = await selected().where('images.id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async withRef(hostId, engineRef) {
      const rows = await selected().where('host_id', '=', hostId).where('engine_ref', '=', engineRef).execute()
      return rows.map(fromRow)
    },
    async ofEngineId(hostId, imageId) {
      const rows = await selected().where('host_id', '=', hostId).where('image_id', '=', imageId).execute()
      return rows.map(fromRow)
    },
    async resolve(projectId, repo, tag) {
      const row = await selected()
        .where('repo', '=', repo)
        .where('tag', '=', tag)
        .where((eb) => eb.or([eb('project_id', '=', projectId), eb('project_id', 'is', null)]))
        // The project's own before a public one, a complete one before one that is being made, then the newest.
        .orderBy(sql`case when project_id is null then 1 else 0 end`)
        .orderBy(sql`case when image_id is null then 1 else 0 end`)
        .orderBy('images.created_at', 'desc')
        .executeTakeFirst()
      return row && fromRow(row)
    },
    async list(scope: Scope) {
      let query = selected().orderBy('images.created_at').orderBy('images.id')
      if (scope !== null) {
        query = query.where((eb) => eb.or([eb('project_id', '=', scope), eb('project_id', 'is', null)]))
      }
      const rows = await query.execute()
      return rows.map(fromRow)
    },
    async remove(id) {
      await db.deleteFrom('images').where('id', '=', id).execute()
    },
  }
}

function toRow(image: Image): ImageRow {
  return {
    id: image.id,
    project_id: image.projectId,
    host_id: image.hostId,
    repo: image.repo,
    tag: image.tag,
    engine_ref: image.engineRef,
    image_id: image.imageId,
    size: image.size,
    created_at: image.createdAt,
    user_id: image.userId ?? null,
    digest: image.digest ?? null,
    fetched: image.fetched === true ? 1 : null,
  }
}

function fromRow(row: ImageRow & { host_name: string }): Image {
  return {
    id: row.id as ImageId,
    projectId: row.project_id as ProjectId | null,
    hostId: row.host_id as HostId,
    hostName: row.host_name,
    repo: row.repo,
    tag: row.tag,
    engineRef: row.engine_ref,
    imageId: row.image_id,
    size: row.size,
    createdAt: Number(row.created_at),
    ...(row.user_id !== null && { userId: row.user_id as UserId }),
    ...(row.digest !== null && { digest: row.digest }),
    ...(Number(row.fetched) === 1 && { fetched: true }),
  }
}
