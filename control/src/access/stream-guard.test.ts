import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createStreamGuard } from './stream-guard.ts'

function setUp(everyMs = 60_000) {
  const state = { granted: true as boolean | Error, asked: 0, tell: () => {} }
  const onRevoked = (listener: (isHere: boolean) => void) => {
    state.tell = () => listener(true)
    return () => {
      state.tell = () => {}
    }
  }
  const guard = createStreamGuard({ identity: { onRevoked }, everyMs })
  const stillGranted = async () => {
    state.asked += 1
    if (state.granted instanceof Error) throw state.granted
    return state.granted
  }
  const ended: string[] = []
  const watch = (name: string, credential = 'ann') =>
    guard.watch({ credential, stillGranted }, ({ code }) => ended.push(`${name} ${code}`))
  return { guard, state, ended, watch }
}

test('all connections of a credential end at once when it is revoked, after one question', async () => {
  const { guard, state, ended, watch } = setUp()
  using _ = guard
  watch('one')
  watch('two')
  state.tell()
  await sleep(5)
  expect({ ended, asked: state.asked }).toEqual({ ended: [], asked: 1 })
  state.granted = false
  state.tell()
  await sleep(5)
  expect(ended).toEqual(['one auth.required', 'two auth.required'])
  state.tell()
  await sleep(5)
  expect({ count: ended.length, asked: state.asked }).toEqual({ count: 2, asked: 2 })
})

test('what was revoked elsewhere is noticed at the next look, and nothing is asked when nothing is open', async () => {
  const { guard, state, ended, watch } = setUp(20)
  using _ = guard
  const release = watch('one')
  await sleep(50)
  expect(state.asked).toBeGreaterThan(0)
  release()
  const before = state.asked
  await sleep(50)
  expect(state.asked).toBe(before)
  state.granted = false
  watch('two')
  await expect.poll(() => ended).toEqual(['two auth.required'])
})

test('a connection that is over is told nothing', async () => {
  const { guard, state, ended, watch } = setUp()
  using _ = guard
  watch('stays', 'bob')
  watch('leaves', 'ann')()
  state.granted = false
  state.tell()
  await expect.poll(() => ended).toEqual(['stays auth.required'])
})

test('nothing ends because nobody can tell', async () => {
  const { guard, state, ended, watch } = setUp()
  using _ = guard
  watch('one')
  state.granted = new Error('the database is busy')
  state.tell()
  await sleep(5)
  expect({ ended, asked: state.asked }).toEqual({ ended: [], asked: 1 })
})

test('a revocation during a look is looked at once more', async () => {
  const { guard, state, ended } = setUp()
  using _ = guard
  const answers = [Promise.withResolvers<boolean>(), Promise.withResolvers<boolean>()]
  let asked = 0
  const stillGranted = () => answers[asked++]?.promise ?? Promise.resolve(true)
  guard.watch({ credential: 'ann', stillGranted }, () => ended.push('ended'))
  state.tell()
  state.tell()
  answers[0]?.resolve(true)
  answers[1]?.resolve(false)
  await expect.poll(() => ended).toEqual(['ended'])
})
