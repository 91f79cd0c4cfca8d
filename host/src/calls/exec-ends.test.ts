import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { execEnds } from './exec-ends.ts'

test('an announcement wakes once, so that whoever still runs is not looked at without pause', async () => {
  const ends = execEnds()
  const { signal } = new AbortController()
  const end = ends.wait('a')
  let looks = 0
  const looking = (async () => {
    for (;;) {
      await end.announced(signal)
      looks += 1
    }
  })()
  void looking
  ends.lost()
  for (let turn = 0; turn < 50; turn += 1) await setImmediate()
  expect(looks).toBe(1)
  ends.ended('b')
  ends.ended('')
  for (let turn = 0; turn < 50; turn += 1) await setImmediate()
  expect(looks).toBe(2)
})

test('what was announced before it is asked for is not missed, and an abort ends the wait', async () => {
  const ends = execEnds()
  const leaving = new AbortController()
  const end = ends.wait('a')
  ends.ended('a')
  await end.announced(leaving.signal)
  const waiting = end.announced(leaving.signal)
  leaving.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
})
