import { Fault } from './faults.ts'
import { expect, test } from 'vitest'
import { throttle } from './throttle.ts'

function waitOf(check: () => void): number {
  try {
    check()
    return 0
  } catch (error) {
    return error instanceof Fault ? Number(error.details['seconds']) : Number.NaN
  }
}

test('waits double after a few free mistakes, up to five minutes', () => {
  const clock = { at: 0, now: () => clock.at }
  const { check, failed } = throttle(clock)
  const waits: number[] = []
  for (let mistake = 0; mistake < 16; mistake += 1) {
    failed('ann here')
    const wait = waitOf(() => check('ann here'))
    waits.push(wait)
    clock.at += wait * 1000
    expect(waitOf(() => check('ann here'))).toBe(0)
  }
  expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
})

test('others are not slowed, success and time forgive', () => {
  const clock = { at: 0, now: () => clock.at }
  const { check, failed, succeeded } = throttle(clock)
  const spoil = () => Array.from({ length: 8 }, () => failed('ann here'))
  spoil()
  expect(waitOf(() => check('ann elsewhere'))).toBe(0)
  expect(waitOf(() => check('ann here'))).toBe(8)
  succeeded('ann here')
  expect(waitOf(() => check('ann here'))).toBe(0)
  spoil()
  clock.at += 20 * 60_000
  failed('ann here')
  expect(waitOf(() => check('ann here'))).toBe(0)
})

test('what it remembers is bounded', () => {
  const { check, failed } = throttle({ now: () => 0 })
  for (let mistake = 0; mistake < 8; mistake += 1) failed('first')
  for (let user = 0; user < 10_000; user += 1) failed(`user ${user}`)
  expect(waitOf(() => check('first'))).toBe(0)
})
