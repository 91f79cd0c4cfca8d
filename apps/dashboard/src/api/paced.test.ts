import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { paced } from './paced.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('what is asked for all the time is done at once, then in its own time, and once more at the end', async () => {
  const begun: number[] = []
  const { ask } = paced(async () => begun.push(Date.now()), 1000)
  const start = Date.now()
  for (let at = 0; at < 2500; at += 100) {
    ask()
    await vi.advanceTimersByTimeAsync(100)
  }
  await vi.advanceTimersByTimeAsync(5000)
  expect(begun.map((at) => at - start)).toEqual([0, 1000, 2000, 3000])
})

test('it is not begun anew before it is over, even if it fails', async () => {
  const ends: ((error: Error) => void)[] = []
  const { ask } = paced(() => new Promise((_resolve, reject) => ends.push(reject)), 1000)
  ask()
  ask()
  await vi.advanceTimersByTimeAsync(5000)
  expect(ends).toHaveLength(1)
  ends[0]?.(new Error('the server was away'))
  await vi.advanceTimersByTimeAsync(0)
  expect(ends).toHaveLength(2)
})

test('once stopped it does nothing more', async () => {
  let count = 0
  const { ask, stop } = paced(async () => {
    count += 1
  }, 1000)
  ask()
  ask()
  stop()
  ask()
  await vi.advanceTimersByTimeAsync(5000)
  expect(count).toBe(1)
})
