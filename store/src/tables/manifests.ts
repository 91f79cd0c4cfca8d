import type { ContentTable, Manifest, ManifestHold, ManifestPart } from '@gantry/control'
import type { Digest, ProjectId, UserId } from '@gantry/model'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import type { ManifestHoldRow, ManifestRow } from '../image-database.ts'
import { inChunks } from '../in-chunks.ts'
import { isPostgres } from '../locks.ts'

type ManifestQueries = Pick<
  ContentTable,
  | 'putManifest'
  | 'manifest'
  | 'manifests'
  | 'hold'
  | 'holdOf'
  | 'release'
  | 'holds'
  | 'repositories'
  | 'referrers'
  | 'closure'
  | 'above'
  | 'isVisible'
  | 'unheldManifests'
  | 'removeManifest'
>

/** An index of indexes of images is as deep as anything that is used goes. */
export const deepest = 3

export function manifestQueries(db: Kysely<Database>): ManifestQueries {
  const withParts = async (rows: readonly ManifestRow[]) => {
    const digests = rows.map(({ digest }) => digest)
    const parts = await inChunks(digests, (chunk) =>
      db.selectFrom('manifest_parts').selectAll().where('manifest', 'in', chunk).orderBy('position').execute(),
    )
    const byManifest = Map.groupBy(parts, ({ manifest }) => manifest)
    return rows.map((row) => fromRow(row, (byManifest.get(row.digest) ?? []).map(partOf)))
  }
  const manifests = async (digests: readonly Digest[]) => {
    const rows = await inChunks(digests, (chunk) =>
      db.selectFrom('manifests').selectAll().where('digest', 'in', chunk).execute(),
    )
    return withParts(rows)
  }
  return {
    manifests,
    manifest: async (digest) => (await manifests([digest]))[0],
    async putManifest(manifest) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('manifests')
        .values(toRow(manifest))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows === 0n) return
      const parts = manifest.parts.map((part, position) => ({
        manifest: manifest.digest,
        position,
        kind: part.kind,
        digest: part.digest,
        size: part.size,
        media_type: part.mediaType,
        platform: part.platform,
      }))
      await inChunks(parts, async (chunk) => {
        await db.insertInto('manifest_parts').values(chunk).execute()
        return []
      })
    },
    async hold({ projectId, repo, digest, userId, pushedAt }) {
      await db
        .insertInto('manifest_holds')
        .values({ project_id: projectId, repo, digest, user_id: userId, pushed_at: pushedAt })
        .onConflict((conflict) =>
          conflict.columns(['project_id', 'repo', 'digest']).doUpdateSet({ user_id: userId, pushed_at: pushedAt }),
        )
        .execute()
    },
    async holdOf(projectId, repo, digest) {
      const row = await db
        .selectFrom('manifest_holds')
        .selectAll()
        .where('project_id', '=', projectId)
        .where('repo', '=', repo)
        .where('digest', '=', digest)
        .executeTakeFirst()
      return row && holdFromRow(row)
    },
    async release(projectId, repo, digest) {
      await db
        .deleteFrom('manifest_holds')
        .where('project_id', '=', projectId)
        .where('repo', '=', repo)
        .where('digest', '=', digest)
        .execute()
    },
    async holds(projectId, repo) {
      const rows = await db
        .selectFrom('manifest_holds')
        .selectAll()
        .where('project_id', '=', projectId)
        .$if(repo !== undefined, (query) => query.where('repo', '=', repo ?? ''))
        .orderBy('pushed_at')
        .orderBy('digest')
        .execute()
      return rows.map(holdFromRow)
    },
    async repositories(projectId) {
      const rows = await db
        .selectFrom('manifest_holds')
        .select('repo')
        .distinct()
        .where('project_id', '=', projectId)
        .where('repo', '<>', '')
        .orderBy('repo')
        .execute()
      return rows.map(({ repo }) => repo)
    },
    async referrers(projectId, repo, subject) {
      const rows = await db
        .selectFrom('manifests')
        .innerJoin('manifest_holds', 'manifest_holds.digest', 'manifests.digest')
        .selectAll('manifests')
        .where('manifest_holds.project_id', '=', projectId)
        .where('manifest_holds.repo', '=', repo)
        .where('manifests.subject', '=', subject)
        .orderBy('manifest_holds.pushed_at')
        .orderBy('manifests.digest')
        .execute()
      return withParts(rows)
    },
    async closure(digest) {
      const { rows } = await sql<{ digest: string }>`
        with recursive ${below(sql`select ${sortedByBytes(db, digest)} as digest, 0 as depth`)} select distinct digest from below`.execute(
        db,
      )
      return manifests(rows.map((row) => row.digest as Digest))
    },
    async above(digest) {
      const { rows } = await sql<{ digest: string }>`
        with recursive ${above(db, digest)} select digest from above group by digest order by min(depth), digest`.execute(
        db,
      )
      return rows.map((row) => row.digest as Digest)
    },
    async isVisible(projectId, digest) {
      const { rows } = await sql`
        with recursive ${above(db, digest)}
        select 1 from above where exists (
          select 1 from images where images.digest = above.digest and images.status = 'active' and (
            images.project_id = ${projectId} or images.visibility = 'public' or (
              images.visibility = 'shared' and exists (
                select 1 from image_members
                where image_members.image_id = images.id and image_members.project_id = ${projectId}
              )
            )
          )
        ) or exists (
          select 1 from manifest_holds
          where manifest_holds.digest = above.digest and manifest_holds.project_id = ${projectId}
        ) limit 1`.execute(db)
      return rows.length > 0
    },
    async unheldManifests(among) {
      if (among) {
        const unheld: Digest[] = []
        for (const digest of among) if (!(await isHeld(db, digest))) unheld.push(digest)
        return unheld
      }
      const { rows } = await sql<{ digest: string }>`
        with recursive ${below(sql`
          select digest, 0 as depth from manifest_holds
          union select digest, 0 from images where digest is not null
          union select image_manifest, 0 from containers where image_manifest is not null`)}
        select digest from manifests where digest not in (select digest from below)`.execute(db)
      return rows.map(({ digest }) => digest as Digest)
    },
    async removeManifest(digest) {
      await db.deleteFrom('manifest_parts').where('manifest', '=', digest).execute()
      await db.deleteFrom('manifests').where('digest', '=', digest).execute()
    },
  }
}

async function isHeld(db: Kysely<Database>, digest: Digest): Promise<boolean> {
  const { rows } = await sql`
    with recursive ${above(db, digest)}
    select 1 from above where exists (select 1 from manifest_holds where manifest_holds.digest = above.digest)
      or exists (select 1 from images where images.digest = above.digest)
      or exists (select 1 from containers where containers.image_manifest = above.digest) limit 1`.execute(db)
  return rows.length > 0
}

/** As the columns are; PostgreSQL wants both halves of a recursive table to sort alike. */
function sortedByBytes(db: Kysely<Database>, digest: Digest) {
  return isPostgres(db) ? sql`${digest}::text collate "C"` : sql`${digest}`
}

/** A recursive table of what `start` gives and of the manifests that those are made of. */
export function below(start: ReturnType<typeof sql>) {
  return sql`below (digest, depth) as (
    ${start}
    union
    select manifest_parts.digest, below.depth + 1 from below
      join manifest_parts on manifest_parts.manifest = below.digest
      where manifest_parts.kind = 'manifest' and below.depth < ${deepest}
  )`
}

/** A recursive table of `digest` and of the manifests that are made of it. */
function above(db: Kysely<Database>, digest: Digest) {
  return sql`above (digest, depth) as (
    select ${sortedByBytes(db, digest)}, 0
    union
    select manifest_parts.manifest, above.depth + 1 from above
      join manifest_parts on manifest_parts.digest = above.digest where above.depth < ${deepest}
  )`
}

function toRow(manifest: Manifest): ManifestRow {
  return {
    digest: manifest.digest,
    media_type: manifest.mediaType,
    artifact_type: manifest.artifactType,
    content: manifest.content,
    size: manifest.size,
    config: manifest.config,
    config_digest: manifest.configDigest,
    subject: manifest.subject,
  }
}

function fromRow(row: ManifestRow, parts: readonly ManifestPart[]): Manifest {
  return {
    digest: row.digest as Digest,
    mediaType: row.media_type,
    artifactType: row.artifact_type,
    content: row.content,
    size: row.size,
    config: row.config,
    configDigest: row.config_digest as Digest | null,
    subject: row.subject as Digest | null,
    parts,
  }
}

function partOf(row: Database['manifest_parts']): ManifestPart {
  return {
    kind: row.kind as ManifestPart['kind'],
    digest: row.digest as Digest,
    size: row.size,
    mediaType: row.media_type,
    platform: row.platform,
  }
}

function holdFromRow(row: ManifestHoldRow): ManifestHold {
  return {
    projectId: row.project_id as ProjectId,
    repo: row.repo,
    digest: row.digest as Digest,
    userId: row.user_id as UserId | null,
    pushedAt: row.pushed_at,
  }
}
