import { expect, test } from 'vitest'
import { gathered } from './gathered.ts'

test('calls of one turn, and those that come while they are answered, go together and in order', async () => {
  const asked: number[][] = []
  const double = gathered(async (numbers: readonly number[]) => {
    asked.push([...numbers])
    return numbers.map((number) => 2 * number)
  }, 3)
  const first = Promise.all([1, 2, 3, 4].map(double))
  await expect(first).resolves.toEqual([2, 4, 6, 8])
  await expect(double(5)).resolves.toBe(10)
  expect(asked).toEqual([[1, 2, 3], [4], [5]])
})

test('one that fails takes no other with it', async () => {
  const check = gathered(async (numbers: readonly number[]) => {
    if (numbers.includes(2)) throw new Error('two')
    return numbers.map(String)
  })
  const [one, two, three] = await Promise.allSettled([1, 2, 3].map(check))
  expect([one, three]).toEqual([
    { status: 'fulfilled', value: '1' },
    { status: 'fulfilled', value: '3' },
  ])
  expect(two).toMatchObject({ status: 'rejected', reason: new Error('two') })
})
