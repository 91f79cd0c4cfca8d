import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openSqlite } from '../sqlite/open.ts'
import { nextSeq } from './next-seq.ts'

test.each(['containers', 'actions', 'action_events'] as const)(
  'the next number of %s is found without reading all',
  async (table) => {
    const db = await openSqlite(':memory:')
    try {
      await sql`insert into actions (id, seq, container_id, project_id, user_id, request_id, name, started_at)
      with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
      select 'a' || i, i, 'c' || i, 'p', 'u', 'r', 'start', 1 from n`.execute(db)
      await sql`insert into action_events (action_id, seq, name, started_at) select id, seq, name, 1 from actions`.execute(
        db,
      )
      const started = performance.now()
      for (let count = 0; count < 100; count += 1) await sql`select ${nextSeq(db, table)} as next`.execute(db)
      expect((performance.now() - started) / 100).toBeLessThan(1.5)
    } finally {
      await db.destroy()
    }
  },
)
