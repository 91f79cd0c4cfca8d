import { expect, test } from 'vitest'
import { passwords } from './passwords.ts'

test('a hash accepts its own password only, and does not repeat itself', async () => {
  const { hash, matches } = passwords()
  const [one, two] = await Promise.all([hash('sesame'), hash('sesame')])
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  expect(one).not.toBe(two)
  expect(await matches('sesame', one)).toBe(true)
  expect(await matches('Sesame', one)).toBe(false)
  expect(await matches('', one)).toBe(false)
})

test('no hash, or one of another kind, matches nothing', async () => {
  const { matches } = passwords()
  for (const hash of [undefined, '', '$2b$12$abc', '$argon2id$v=19$m=0,t=0,p=0$AA$AA']) {
    expect(await matches('', hash)).toBe(false)
  }
})

test('an unknown user costs as much time as a known one', async () => {
  const { hash, matches } = passwords()
  const known = await hash('sesame')
  const took = async (hash: string | undefined) => {
    const times: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const start = process.hrtime.bigint()
      await matches('wrong', hash)
      times.push(Number(process.hrtime.bigint() - start))
    }
    return Math.min(...times)
  }
  const ratio = (await took(undefined)) / (await took(known))
  expect(ratio).toBeGreaterThan(0.3)
  expect(ratio).toBeLessThan(3)
})

test('more than can wait are refused, and the gate is asked when the turn comes', async () => {
  const { matches } = passwords()
  let open = true
  const gate = () => {
    if (!open) throw new Error('closed')
  }
  const all = Array.from({ length: 105 }, () => matches('x', undefined, gate).catch((error: unknown) => error))
  open = false
  const results = await Promise.all(all)
  expect(results.filter((result) => result === false).length).toBeLessThanOrEqual(2)
  expect(results.slice(100)).toEqual(Array.from({ length: 5 }, () => expect.objectContaining({ code: 'auth.busy' })))
})
