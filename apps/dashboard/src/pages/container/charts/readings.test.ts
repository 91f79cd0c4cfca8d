import { expect, test } from 'vitest'
import { type Reading, readingOf, withReading } from './readings.ts'

const counted = (at: number, bytes: number) => ({
  at,
  stats: {
    cpuPercent: 50,
    memoryUsed: 1000,
    memoryLimit: 4000,
    blockRead: 0,
    blockWrite: bytes,
    netReceived: bytes,
    netSent: 0,
    pids: 1,
  },
})

test('speeds are the difference by the time between', () => {
  expect(readingOf(counted(102, 5000), counted(100, 1000))).toEqual({
    at: 102,
    cpu: 50,
    memory: 1000,
    received: 2000,
    sent: 0,
    read: 0,
    written: 2000,
  })
})

test('there is no speed at first, after a restart and after a long gap', () => {
  expect(readingOf(counted(100, 1000), null).received).toBeNull()
  expect(readingOf(counted(102, 10), counted(100, 1000)).received).toBeNull()
  expect(readingOf(counted(200, 2000), counted(100, 1000)).received).toBeNull()
})

test('the oldest go, and a time when nobody looked is a hole in the line', () => {
  let readings: readonly Reading[] = []
  for (let at = 0; at < 1000; at += 2) readings = withReading(readings, readingOf(counted(at, at), null), 100)
  expect(readings).toHaveLength(100)
  const after = withReading(readings, readingOf(counted(2000, 0), null), 100)
  expect(after.at(-2)).toMatchObject({ at: 1999, cpu: null })
})
