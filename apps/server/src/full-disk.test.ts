import { defaultSpec } from '@gantry/model'
import { createStore, openSqlite } from '@gantry/store'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

test('a full disk is told as such, and what was there before is whole', async () => {
  const db = await openSqlite(':memory:')
  await using world = await aWorld({ db })
  const me = aCaller()
  const create = (name: string) =>
    world.control.containers.create(me, { name, spec: defaultSpec('busybox'), run: true })
  await create('first')
  await world.host.idle()
  await world.host.disconnect()
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
  await sql.raw(`pragma max_page_count = ${rows[0]?.page_count}`).execute(db)
  const fill = async () => {
    for (let count = 0; count < 100; count += 1) await create(`more-${count}`)
  }
  await expect(fill()).rejects.toMatchObject({ code: 'store.full', kind: 'unavailable' })
  await sql.raw('pragma max_page_count = 1000000').execute(db)
  expect((await world.control.containers.get(me, 'first')).status).toBe('Running')
  await create('after')
  await world.host.connect()
  await world.host.idle()
  expect((await world.control.containers.get(me, 'after')).status).toBe('Running')
  const used = await createStore(db).containers.usageOfProject(me.projectId)
  expect(used.containers).toBe(world.host.engine.size)
})
