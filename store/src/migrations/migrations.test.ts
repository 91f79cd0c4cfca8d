import { Kysely, SqliteDialect, sql } from 'kysely'
import { expect, test } from 'vitest'
import { sqliteDriver } from '../sqlite/driver.ts'
import { createStore } from '../store.ts'
import type { Database } from '../database.ts'
import type { ContainerId } from '@gantry/model'
import * as core from './0001-core.ts'
import * as attachments from './0004-attachments.ts'
import * as imagesOfDocker from './0007-images-of-docker.ts'
import * as imageCatalogue from './0010-image-catalogue.ts'

test('containers from before networks come through with no interfaces, mounts, capsule or registry', async () => {
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: sqliteDriver(':memory:') }) })
  try {
    await core.up(db as unknown as Kysely<unknown>)
    const seen = { engine: { engineId: 'e1', addresses: [{ network: 'x' }] }, settled: 1, failure: null }
    for (const [seq, observed] of [seen, { engine: null, settled: 0, failure: null }].entries()) {
      await sql`insert into containers (id, seq, project_id, user_id, name, image, image_ref, status, cpu, memory, disk,
        auto_remove, seen_generation, host_lost, created_at, updated_at, spec, wish, observed)
        values (${`c${seq}`}, ${seq}, 'p', 'u', 'n', 'i', 'i', 'Running', 1, 64, 1, 0, 1, 0, 1, 1, '{}', '{}',
        ${JSON.stringify(observed)})`.execute(db)
    }
    await attachments.up(db as unknown as Kysely<unknown>)
    const { containers } = createStore(db)
    expect(await containers.get('c0' as ContainerId)).toMatchObject({
      nics: [],
      mounts: [],
      capsule: null,
      registryId: null,
      sealedRegistryAuth: null,
      observed: { engine: { engineId: 'e1', nics: [] }, settled: 1, failure: null },
    })
    expect((await containers.get('c0' as ContainerId))?.observed.engine).not.toHaveProperty('addresses')
    expect((await containers.get('c1' as ContainerId))?.observed).toEqual({ engine: null, settled: 0, failure: null })
  } finally {
    await db.destroy()
  }
})

test("a project's images from when they lay on hosts come through as content that the host has yet to give", async () => {
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: sqliteDriver(':memory:') }) })
  try {
    for (const { up } of [core, imagesOfDocker]) await up(db as unknown as Kysely<unknown>)
    for (const [id, project, imageId] of [
      ['i1', 'p', 'sha256:1'],
      ['i2', null, 'sha256:2'],
      ['i3', 'p', null],
    ]) {
      await sql`insert into images (id, project_id, host_id, repo, tag, engine_ref, image_id, size, created_at)
        values (${id}, ${project}, 'h', ${id}, '1', 'ref', ${imageId}, 5, 9)`.execute(db)
    }
    await imageCatalogue.up(db as unknown as Kysely<unknown>)
    const { images } = createStore(db)
    expect(await images.list(null)).toMatchObject([
      {
        id: 'i1',
        projectId: 'p',
        repo: 'i1',
        tag: '1',
        status: 'saving',
        pending: { hostId: 'h', engineRef: 'ref' },
        digest: null,
      },
    ])
  } finally {
    await db.destroy()
  }
})
