import type { ImageChange, ImagePolicyTable, ImageQuery, ImageTable, Scope } from '@gantry/control'
import type {
  Digest,
  HostId,
  Image,
  ImageId,
  ImageKind,
  ImageMember,
  ImageStatus,
  ImageVisibility,
  ProjectId,
  UserId,
} from '@gantry/model'
import { type Expression, type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import type { Database } from '../database.ts'
import type { ImageMemberRow, ImageRow } from '../image-database.ts'

export function imageTable(db: Kysely<Database>): ImageTable {
  const selected = () => db.selectFrom('images').selectAll('images').orderBy('images.created_at').orderBy('images.id')
  return {
    async insert(image) {
      const row = { ...columnsOf(image), id: image.id, project_id: image.projectId, created_at: image.createdAt }
      await db
        .insertInto('images')
        .values(row as ImageRow)
        .execute()
    },
    async update(id, change) {
      const columns = columnsOf(change)
      if (Object.keys(columns).length === 0) return
      await db.updateTable('images').set(columns).where('id', '=', id).execute()
    },
    async get(id) {
      const row = await db.selectFrom('images').selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async list(scope, query = {}) {
      const rows = await selected()
        .where((eb) => eb.and([...(scope === null ? [] : [visibleTo(eb, scope, query)]), ...fits(eb, query)]))
        .execute()
      return rows.map(fromRow)
    },
    async resolve(projectId, repo, tag) {
      const row = await db
        .selectFrom('images')
        .selectAll()
        .where('repo', '=', repo)
        .where('tag', '=', tag)
        .where('status', '=', 'active')
        .where((eb) => eb.or([eb('project_id', '=', projectId), eb('visibility', '=', 'public')]))
        .orderBy(sql`case when project_id = ${projectId} then 0 else 1 end`)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .executeTakeFirst()
      return row && fromRow(row)
    },
    async countOf(projectId) {
      const { count } = await db
        .selectFrom('images')
        .select(sql<number>`count(*)`.as('count'))
        .where('project_id', '=', projectId)
        .executeTakeFirstOrThrow()
      return count
    },
    async pendingOn(hostId) {
      const rows = await selected().where('pending_host', '=', hostId).execute()
      return rows.map(fromRow)
    },
    async hasImageId(imageId) {
      const row = await db.selectFrom('images').select('id').where('image_id', '=', imageId).limit(1).executeTakeFirst()
      return row !== undefined
    },
    async remove(id) {
      await db.deleteFrom('image_members').where('image_id', '=', id).execute()
      await db.deleteFrom('images').where('id', '=', id).execute()
    },
    async members(id) {
      const rows = await db
        .selectFrom('image_members')
        .selectAll()
        .where('image_id', '=', id)
        .orderBy('created_at')
        .orderBy('project_id')
        .execute()
      return rows.map(memberFromRow)
    },
    async setMember({ imageId, projectId, status, createdAt, updatedAt }) {
      const row = { image_id: imageId, project_id: projectId, status, created_at: createdAt, updated_at: updatedAt }
      await db
        .insertInto('image_members')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['image_id', 'project_id']).doUpdateSet({ status, updated_at: updatedAt }),
        )
        .execute()
    },
    async removeMember(id, projectId) {
      const { numDeletedRows } = await db
        .deleteFrom('image_members')
        .where('image_id', '=', id)
        .where('project_id', '=', projectId)
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },
  }
}

type Builder = ExpressionBuilder<Database, 'images'>

function visibleTo(
  eb: Builder,
  project: NonNullable<Scope>,
  { owners, memberStatus }: ImageQuery,
): Expression<SqlBool> {
  const own = eb('images.project_id', '=', project)
  const isPublic = eb('images.visibility', '=', 'public')
  const membership = eb
    .selectFrom('image_members')
    .select('image_members.image_id')
    .whereRef('image_members.image_id', '=', 'images.id')
    .where('image_members.project_id', '=', project)
    .$if(memberStatus !== 'all', (query) => query.where('image_members.status', '=', memberStatus ?? 'accepted'))
  const shared = eb.and([eb('images.visibility', '=', 'shared'), eb.exists(membership)])
  if (owners === 'own') return own
  if (owners === 'public') return isPublic
  if (owners === 'shared') return shared
  return eb.or([own, isPublic, shared])
}

function fits(eb: Builder, query: ImageQuery): Expression<SqlBool>[] {
  const wanted = {
    repo: query.repo,
    tag: query.tag,
    name: query.name,
    digest: query.digest,
    image_id: query.imageId,
    visibility: query.visibility,
  }
  return Object.entries(wanted).flatMap(([column, value]) =>
    value === undefined ? [] : [eb(`images.${column as keyof typeof wanted}`, '=', value)],
  )
}

function columnsOf(change: ImageChange): Partial<ImageRow> {
  const { userId, name, repo, tag, kind, status, visibility, digest, imageId, size, bytes, pending, glance } = change
  return {
    ...(userId !== undefined && { user_id: userId }),
    ...(name !== undefined && { name }),
    ...(repo !== undefined && { repo }),
    ...(tag !== undefined && { tag }),
    ...(kind !== undefined && { kind }),
    ...(status !== undefined && { status }),
    ...(visibility !== undefined && { visibility }),
    ...(digest !== undefined && { digest }),
    ...(imageId !== undefined && { image_id: imageId }),
    ...(size !== undefined && { size }),
    ...(bytes !== undefined && { bytes }),
    ...(pending !== undefined && {
      pending_host: pending?.hostId ?? null,
      pending_ref: pending?.engineRef ?? null,
    }),
    ...(glance !== undefined && { glance: JSON.stringify(glance) }),
    ...(change.updatedAt !== undefined && { updated_at: change.updatedAt }),
  }
}

function fromRow(row: ImageRow): Image {
  const { pending_host: host, pending_ref: ref } = row
  return {
    id: row.id as ImageId,
    projectId: row.project_id as ProjectId,
    userId: row.user_id as UserId | null,
    name: row.name,
    repo: row.repo,
    tag: row.tag,
    kind: row.kind as ImageKind,
    status: row.status as ImageStatus,
    visibility: row.visibility as ImageVisibility,
    digest: row.digest as Digest | null,
    imageId: row.image_id,
    size: row.size,
    bytes: row.bytes,
    pending: host === null || ref === null ? null : { hostId: host as HostId, engineRef: ref },
    glance: JSON.parse(row.glance),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function memberFromRow(row: ImageMemberRow): ImageMember {
  return {
    imageId: row.image_id as ImageId,
    projectId: row.project_id as ProjectId,
    status: row.status as ImageMember['status'],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function imagePolicyTable(db: Kysely<Database>): ImagePolicyTable {
  return {
    async keysOf(projectId) {
      const row = await db
        .selectFrom('image_policies')
        .select('keys')
        .where('project_id', '=', projectId)
        .executeTakeFirst()
      return row ? (JSON.parse(row.keys) as string[]) : []
    },
    async setKeys(projectId, keys) {
      const text = JSON.stringify(keys)
      await db
        .insertInto('image_policies')
        .values({ project_id: projectId, keys: text })
        .onConflict((conflict) => conflict.column('project_id').doUpdateSet({ keys: text }))
        .execute()
    },
  }
}
