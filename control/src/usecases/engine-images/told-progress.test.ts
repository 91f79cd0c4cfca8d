import type { Digest } from '@gantry/model'
import { expect, test } from 'vitest'
import type { BlobProgress } from '../../catalogue.ts'
import { begun, toldBy } from './told-progress.ts'

const told = (digest: string, current: number): BlobProgress => ({
  digest: digest as Digest,
  state: 'moving',
  current,
  total: 9,
})

test('a reader that is slow hears the newest of each blob, and the result', async () => {
  const lines = toldBy(async (tell) => {
    for (let count = 1; count <= 1000; count += 1) tell(told('a', count))
    tell(told('b', 1))
    return 'done'
  })
  expect(await lines.next()).toEqual({ done: false, value: told('a', 1000) })
  expect(await lines.next()).toEqual({ done: false, value: told('b', 1) })
  expect(await lines.next()).toEqual({ done: true, value: 'done' })
})

test('what is told later wakes the reader, and so does a failure', async () => {
  let tellMore: (told: BlobProgress) => void = () => {}
  let fail: (reason: Error) => void = () => {}
  const lines = toldBy((tell) => {
    tellMore = tell
    return new Promise((_resolve, reject) => {
      fail = reject
    })
  })
  const first = lines.next()
  await new Promise((resolve) => setTimeout(resolve, 5))
  tellMore(told('a', 1))
  expect(await first).toEqual({ done: false, value: told('a', 1) })
  const second = lines.next()
  fail(new Error('broke off'))
  await expect(second).rejects.toThrow('broke off')
})

test('what fails before its first line is thrown, and no line is lost', async () => {
  async function* failing(): AsyncGenerator<number> {
    await Promise.reject(new Error('at once'))
    yield 1
  }
  async function* counting(): AsyncGenerator<number> {
    yield 1
    yield 2
  }
  await expect(begun(failing())).rejects.toThrow('at once')
  expect(await Array.fromAsync(await begun(counting()))).toEqual([1, 2])
})
