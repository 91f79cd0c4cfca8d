import type { Host } from '@gantry/model'
import { expect, test } from 'vitest'
import { hostLooks } from './host-looks.ts'

const host = (id: string, containers: number, lastSeenAt = 0) =>
  ({ id, lastSeenAt, used: { containers } }) as unknown as Host

test('a reader is told of all hosts, then of those that changed, however many readers at one look every two seconds', async () => {
  let now = 0
  let looked = 0
  let hosts = [host('a', 0), host('b', 0)]
  const list = async () => {
    looked += 1
    return hosts
  }
  const looks = hostLooks(list, { now: () => now })
  const [one, other] = [looks.reader(), looks.reader()]
  const ids = async (read: () => Promise<Host[]>) => (await read()).map(({ id }) => id)
  expect([await ids(one), await ids(other), await ids(one)]).toEqual([['a', 'b'], ['a', 'b'], []])
  hosts = [host('a', 0, 999), host('b', 1)]
  now = 1999
  expect(await ids(one)).toEqual([])
  now = 2000
  expect([await ids(one), await ids(one)]).toEqual([['b'], []])
  expect(looked).toBe(2)
  // A late reader hears once of what changed meanwhile.
  now = 9000
  expect(await ids(other)).toEqual(['b'])
  // One that went and comes back is told of anew.
  hosts = [host('b', 1)]
  now = 12_000
  expect(await ids(one)).toEqual([])
  hosts = [host('a', 0, 999), host('b', 1)]
  now = 15_000
  expect(await ids(one)).toEqual(['a'])
})

test('an event holds so many hosts, the others come with the next looks', async () => {
  let now = 0
  const hosts = Array.from({ length: 1200 }, (_none, index) => host(`h${index}`, 0))
  const read = hostLooks(async () => hosts, { now: () => now }).reader()
  const lengths: number[] = []
  for (; now < 8000; now += 2000) lengths.push((await read()).length)
  expect(lengths).toEqual([500, 500, 200, 0])
})

test('a look that fails is not remembered for longer than another', async () => {
  let now = 0
  let fails = true
  const read = hostLooks(
    async () => {
      if (fails) throw new Error('the store is away')
      return [host('a', 0)]
    },
    { now: () => now },
  ).reader()
  await expect(read()).rejects.toThrow('away')
  fails = false
  now = 2000
  expect(await read()).toHaveLength(1)
})
