import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { silenceGuard } from './silence-guard.ts'

test('aborts after the first silence, later ones may last as long as was said', async () => {
  using guard = silenceGuard(30)
  guard.heard(10_000)
  await sleep(60)
  expect(guard.signal.aborted).toBe(false)
  guard.heard(10)
  await sleep(40)
  expect([guard.signal.aborted, guard.expired]).toEqual([true, true])
})

test('follows the outer signal, which is no silence', () => {
  const outer = new AbortController()
  using guard = silenceGuard(10_000, outer.signal)
  outer.abort(new Error('enough'))
  expect([guard.signal.aborted, guard.expired]).toEqual([true, false])
})
