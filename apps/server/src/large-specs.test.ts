import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

test('a container that is too large to be told to a host in one message is refused', async () => {
  await using world = await aWorld()
  const { containers } = world.control
  // What a body of one mebibyte can grow to: `1e20` is written out as 21 digits.
  const grown = JSON.stringify(Array.from({ length: 200_000 }, () => 1e20))
  expect(grown.length).toBeGreaterThan(4 * 1024 * 1024)
  for (const part of [{ labels: { a: grown } }, { environment: { A: 'ä'.repeat(1024 * 1024) } }]) {
    const input = { name: null, spec: { ...defaultSpec('busybox'), ...part }, run: false }
    await expect(containers.create(aCaller(), input)).rejects.toMatchObject({ kind: 'too-large' })
  }
  const large = { ...defaultSpec('busybox'), environment: { A: 'a'.repeat(1024 * 1024) } }
  await expect(containers.create(aCaller(), { name: null, spec: large, run: false })).resolves.toMatchObject({})
})
