import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LockTable } from './lock-table.ts'

const wanted = fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 }), { maxLength: 12 })

test('nobody holds what another holds, everybody has a turn, and those that share nothing do not wait', async () => {
  const property = fc.asyncProperty(wanted, fc.scheduler(), async (all, scheduler) => {
    const table = new LockTable()
    const held = new Map<number, readonly string[]>()
    let turns = 0
    const users = all.map(async (keys, index) => {
      const giveBack = await table.take(keys)
      for (const others of held.values()) {
        const clash = keys.length === 0 || others.length === 0 || keys.some((key) => others.includes(key))
        expect(clash).toBe(false)
      }
      held.set(index, keys)
      await scheduler.schedule(Promise.resolve())
      held.delete(index)
      turns += 1
      giveBack()
    })
    await scheduler.waitFor(Promise.all(users))
    expect(turns).toBe(all.length)
  })
  await fc.assert(property, { numRuns: 300 })
  const table = new LockTable()
  await table.take(['a'])
  await table.take(['b'])
  await expect(Promise.race([table.take(['b', 'c']), Promise.resolve('waits')])).resolves.toBe('waits')
})
