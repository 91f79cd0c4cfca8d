import { expect, test } from 'vitest'
import { sharedWork } from './shared-work.ts'

const never = new AbortController().signal

test('is done once for all who ask at once, and anew for who comes later', async () => {
  const work = sharedWork<number>()
  let begun = 0
  const task = async () => {
    begun += 1
    await new Promise((resolve) => setTimeout(resolve, 10))
    return begun
  }
  const all = await Promise.all(Array.from({ length: 5 }, () => work.join('a', task, never)))
  expect(all).toEqual([1, 1, 1, 1, 1])
  expect(await work.join('a', task, never)).toBe(2)
})

test('goes on for those who stay, and ends when the last has gone', async () => {
  const work = sharedWork<string>(20)
  const ended = Promise.withResolvers<string>()
  const task = (signal: AbortSignal) =>
    new Promise<string>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        ended.resolve('ended')
        reject(signal.reason)
      })
    })
  const [first, second] = [new AbortController(), new AbortController()]
  const waits = [first, second].map(({ signal }) => work.join('a', task, signal))
  first.abort(new Error('first goes'))
  await expect(waits[0]).rejects.toThrow('first goes')
  const state = await Promise.race([ended.promise, new Promise((resolve) => setTimeout(resolve, 60, 'goes on'))])
  expect(state).toBe('goes on')
  second.abort(new Error('second goes'))
  await expect(waits[1]).rejects.toThrow('second goes')
  expect(await ended.promise).toBe('ended')
})

test('is joined again by who was interrupted for a moment', async () => {
  const work = sharedWork<string>(50)
  const done = Promise.withResolvers<string>()
  const stop = new AbortController()
  const wait = work.join('a', () => done.promise, stop.signal)
  stop.abort(new Error('interrupted'))
  await expect(wait).rejects.toThrow('interrupted')
  const again = work.join('a', () => Promise.reject(new Error('begun anew')), never)
  done.resolve('the first one')
  expect(await again).toBe('the first one')
})
