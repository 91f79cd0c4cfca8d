import { setTimeout as sleep } from 'node:timers/promises'
import type { Change, Cursor } from '@gantry/control'
import { projectLock } from '@gantry/control'
import type { ProjectId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'

const project = (n: number) => `p${n}` as ProjectId
const change = (n: number, objectId: string): Change => ({
  at: 1,
  projectId: project(n),
  userId: null,
  requestId: null,
  type: 'container.status',
  objectId,
  data: { n },
})
const all = { scope: null, types: [], limit: 7 }

test('a reader misses nothing and sees nothing twice while many write at the same time, the slow and those that give up among them', async () => {
  await using opened = await openStore()
  const { store } = opened
  const writers = Array.from({ length: 12 }, async (_none, writer) => {
    for (let round = 0; round < 5; round += 1) {
      const work = store.transaction(
        async (tables) => {
          const ids = [`${writer}-${round}-a`, `${writer}-${round}-b`]
          await tables.changes.add(ids.map((id) => change(writer, id)))
          // The one that was numbered first is often the last to be seen.
          await sleep((writer * 7 + round * 3) % 20)
          if (round === 3) throw new Error('given up')
        },
        [projectLock(project(writer))],
      )
      await work.catch(() => undefined)
    }
  })
  const read: string[] = []
  let cursor = '0.0' as Cursor
  let done = false
  const follow = async () => {
    const page = await store.changes.after(cursor, all)
    cursor = page.next
    read.push(...page.changes.map(({ objectId }) => objectId))
    return page.changes.length
  }
  const reader = (async () => {
    while (!done) {
      await follow()
      await sleep(2)
    }
  })()
  await Promise.all(writers)
  done = true
  await reader
  // What other databases of the same PostgreSQL have under way holds back what may be read here.
  await expect.poll(async () => (await follow(), read.length)).toBe(12 * 4 * 2)
  expect(await follow()).toBe(0)
  expect(new Set(read).size).toBe(read.length)
  const ofOne = read.filter((id) => id.startsWith('5-'))
  expect(ofOne).toEqual([0, 1, 2, 4].flatMap((round) => [`5-${round}-a`, `5-${round}-b`]))
}, 20_000)

test('cursors outlive the order of a database that was restored elsewhere', async () => {
  await using opened = await openStore()
  const { store } = opened
  await store.changes.add([change(1, 'old')])
  const { next } = await store.changes.after('0.0' as Cursor, all)
  // Transactions of a new cluster are counted from the beginning: what is there came with a count far beyond.
  const far = (cursor: string) => `999999999999.${cursor.split('.')[1]}` as Cursor
  await opened.db.updateTable('changes').set({ xid: 999_999_999_999 }).execute()
  await store.changes.setMark('reader', far(next))
  await store.changes.mend()
  await store.changes.add([change(1, 'new')])
  const seen = await store.changes.after('0.0' as Cursor, all)
  expect(seen.changes.map(({ objectId }) => objectId)).toEqual(['old', 'new'])
  for (const cursor of [far(next), (await store.changes.mark('reader')) ?? far(next)]) {
    expect((await store.changes.after(cursor, all)).changes.map(({ objectId }) => objectId)).toEqual(['new'])
  }
})

test('the newest changes begin behind the cursor that is told, whoever else wrote in between', async () => {
  await using opened = await openStore()
  const { changes } = opened.store
  const mine = { scope: project(1), types: [], limit: 2 }
  for (const id of ['a', 'b', 'c']) await changes.add([change(1, id), change(2, `${id}-of-others`)])
  const newest = async (limit: number) => {
    const { changes: found } = await changes.after(await changes.before({ ...mine, limit }), { ...mine, limit: 10 })
    return found.map(({ objectId }) => objectId)
  }
  expect(await newest(2)).toEqual(['b', 'c'])
  expect(await newest(3)).toEqual(['a', 'b', 'c'])
  expect(await newest(9)).toEqual(['a', 'b', 'c'])
  await changes.prune({ before: 0, keep: 4, most: 10 })
  expect(await newest(9)).toEqual(['b', 'c'])
  const from = await changes.before({ ...mine, limit: 9 })
  expect(await changes.isGone(from)).toBe(false)
})
