import { type Kysely, sql } from 'kysely'
import { createTable } from './create-table.ts'

interface OldImage {
  id: string
  project_id: string | null
  host_id: string
  repo: string
  tag: string
  engine_ref: string
  image_id: string | null
  size: number | null
  created_at: number
  user_id: string | null
}

/**
 * Images as content under names, which hosts only hold copies of. What a project had on a host stays, as content that the host
 * has yet to give; public names of engines were nobody's, and engines still have them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } =
    await sql<OldImage>`select * from images where project_id is not null and image_id is not null`.execute(db)
  await db.schema.dropTable('images').execute()
  await createImages(db)
  for (const row of rows) {
    await sql`insert into images (id, project_id, user_id, repo, tag, kind, status, visibility, image_id, size, pending_host, pending_ref,
      glance, created_at, updated_at) values (${row.id}, ${row.project_id}, ${row.user_id}, ${row.repo}, ${row.tag}, 'image', 'saving',
      'private', ${row.image_id}, ${row.size}, ${row.host_id}, ${row.engine_ref}, ${oldGlance}, ${row.created_at}, ${row.created_at})
      on conflict do nothing`.execute(db)
  }
  await createContents(db)
  await db.schema.alterTable('containers').addColumn('image_manifest', 'text').execute()
  await db.schema.createIndex('containers_by_manifest').on('containers').column('image_manifest').execute()
}

const oldGlance = JSON.stringify({
  containerFormat: 'docker',
  diskFormat: 'raw',
  minDisk: 0,
  minRam: 0,
  protected: false,
  hidden: false,
  tags: [],
  properties: {},
  checksum: null,
  osHash: null,
})

async function createImages(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'images',
    columns: {
      id: 'text',
      project_id: 'text',
      user_id: 'text?',
      name: 'text?',
      repo: 'text',
      tag: 'text',
      kind: 'text',
      status: 'text',
      visibility: 'text',
      digest: 'text?',
      image_id: 'text?',
      size: 'bigint?',
      bytes: 'bigint?',
      pending_host: 'text?',
      pending_ref: 'text?',
      glance: 'text',
      created_at: 'bigint',
      updated_at: 'bigint',
    },
    key: ['id'],
    indexes: [['project_id', 'created_at'], ['visibility'], ['digest'], ['image_id'], ['pending_host']],
  })
  await sql`create unique index images_unique_name on images (project_id, repo, tag) where repo <> ''`.execute(db)
  await createTable(db, {
    name: 'image_members',
    columns: { image_id: 'text', project_id: 'text', status: 'text', created_at: 'bigint', updated_at: 'bigint' },
    key: ['image_id', 'project_id'],
    indexes: [['project_id']],
    partOf: { image_id: 'images' },
  })
  await createTable(db, {
    name: 'image_policies',
    columns: { project_id: 'text', keys: 'text' },
    key: ['project_id'],
  })
}

async function createContents(db: Kysely<unknown>): Promise<void> {
  await createTable(db, {
    name: 'manifests',
    columns: {
      digest: 'text',
      media_type: 'text',
      artifact_type: 'text?',
      content: 'text',
      size: 'bigint',
      config: 'text?',
      config_digest: 'text?',
      subject: 'text?',
    },
    key: ['digest'],
    indexes: [['subject'], ['config_digest']],
  })
  await createTable(db, {
    name: 'manifest_parts',
    columns: {
      manifest: 'text',
      position: 'bigint',
      kind: 'text',
      digest: 'text',
      size: 'bigint',
      media_type: 'text',
      platform: 'text?',
    },
    key: ['manifest', 'position'],
    indexes: [['digest']],
  })
  await createTable(db, {
    name: 'manifest_holds',
    columns: { project_id: 'text', repo: 'text', digest: 'text', user_id: 'text?', pushed_at: 'bigint' },
    key: ['project_id', 'repo', 'digest'],
    indexes: [['digest']],
  })
  await createTable(db, {
    name: 'blobs',
    columns: { digest: 'text', size: 'bigint', origin: 'text?', used_at: 'bigint' },
    key: ['digest'],
    indexes: [['used_at']],
  })
  await createTable(db, {
    name: 'blob_holds',
    columns: { project_id: 'text', digest: 'text', used_at: 'bigint' },
    key: ['project_id', 'digest'],
    indexes: [['digest']],
  })
  await createTable(db, {
    name: 'uploads',
    columns: { id: 'text', project_id: 'text', repo: 'text', user_id: 'text?', created_at: 'bigint' },
    key: ['id'],
    indexes: [['project_id'], ['created_at']],
  })
  await createTable(db, { name: 'layer_sizes', columns: { diff_id: 'text', size: 'bigint' }, key: ['diff_id'] })
}
