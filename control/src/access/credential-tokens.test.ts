import { Fault } from '@gantry/kernel'
import { expect, test } from 'vitest'
import type { TokenInfo } from '../ports/identity-model.ts'
import { credentialTokens } from './credential-tokens.ts'

const lifeMs = 3_600_000

function setUp() {
  const clock = { at: 0, now: () => clock.at }
  const counts = { issued: 0 }
  const known = new Set(['good'])
  const issue = async (logIn: unknown) => {
    counts.issued += 1
    const { secret } = logIn as { secret: string }
    if (!known.has(secret)) throw new Fault('auth.failed')
    return { token: `t${counts.issued}`, info: { expiresAt: clock.at + lifeMs } as TokenInfo }
  }
  const tokens = credentialTokens({ issue }, clock)
  const get = (secret = 'good', key = secret) => tokens.get(key, { id: 'c', secret }, '192.0.2.1')
  return { clock, counts, tokens, get, known }
}

test('one log-in serves many requests, also those that come together', async () => {
  const { counts, get } = setUp()
  expect(await Promise.all([get(), get(), get()])).toEqual(['t1', 't1', 't1'])
  expect(await get()).toBe('t1')
  expect(counts.issued).toBe(1)
})

test('a new one is taken before the old one ends, and after it was forgotten', async () => {
  const { clock, tokens, get } = setUp()
  await get()
  clock.at = lifeMs - 61_000
  expect(await get()).toBe('t1')
  clock.at = lifeMs - 60_000
  expect(await get()).toBe('t2')
  tokens.forget('good')
  expect(await get()).toBe('t3')
})

test('a refusal is not remembered', async () => {
  const { known, get } = setUp()
  await expect(get('late')).rejects.toMatchObject({ code: 'auth.failed' })
  known.add('late')
  expect(await get('late')).toBe('t2')
})

test('it does not grow without end, and keeps what is used', async () => {
  const { counts, get } = setUp()
  await get()
  for (let number = 0; number < 1500; number += 1) {
    await get('good', `key ${number}`)
    await get()
  }
  expect(counts.issued).toBe(1501)
  await get('good', 'key 0')
  expect(counts.issued).toBe(1502)
})
