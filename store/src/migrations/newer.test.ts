import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { aContainer } from '../testing/samples.ts'
import { migrate, migrations } from './index.ts'
import { shutOutBefore } from './newer.ts'

/** What a release after this one may do: add. */
const next = {
  ...migrations,
  '9998-next': {
    up: async (db: Parameters<typeof migrate>[0]) => {
      await sql`alter table containers add column colour text`.execute(db)
      await sql`create table colours (name text primary key)`.execute(db)
    },
  },
}
/** And the release after that: take away. */
const afterNext = {
  ...next,
  '9999-after-next': { up: (db: Parameters<typeof migrate>[0]) => shutOutBefore(db, '9998-next') },
}

test('a program runs on, and starts again, on the schema of the next one', async () => {
  await using opened = await openStore()
  const { db, store } = opened
  const before = aContainer('c1')
  await store.containers.insert(before)
  await migrate(db, next)
  expect(await store.containers.get(before.id)).toEqual(before)
  await migrate(db)
  const after = aContainer('c2')
  await store.transaction((tables) => tables.containers.insert(after))
  await store.containers.update(before.id, { name: 'other' })
  expect(await store.containers.getMany([before.id, after.id])).toEqual([{ ...before, name: 'other' }, after])
})

test('a program whose tables are gone refuses to start, and the one before the newest does not', async () => {
  await using opened = await openStore()
  await migrate(opened.db, afterNext)
  await expect(migrate(opened.db)).rejects.toThrow(/newer Gantry has changed this database.*9998-next/)
  await migrate(opened.db, next)
  await migrate(opened.db, afterNext)
})
