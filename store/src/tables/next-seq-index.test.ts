import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { type NumberedTable, nextSeq } from './next-seq.ts'

test('the next number of every numbered table is the end of an index', async () => {
  await using opened = await openStore()
  const { rows } = await sql<{ name: NumberedTable }>`
    select m.name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and c.name = 'seq' and m.name not like 'sqlite%'
  `.execute(opened.db)
  expect(rows.length).toBeGreaterThan(14)
  for (const { name } of rows) {
    const plan = await opened.planOf(() => sql`select ${nextSeq(opened.db, name)}`.execute(opened.db))
    expect(plan.join('\n'), name).toMatch(/SEARCH \w+ USING COVERING INDEX/)
  }
})
