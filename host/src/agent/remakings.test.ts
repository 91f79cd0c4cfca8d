import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerId } from '@gantry/model'
import { expect, test } from 'vitest'
import { remakings } from './remakings.ts'

test('what is being made anew is known to the next agent, until it is there or nobody wants it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-remaking-'))
  const [a, b, c] = ['a', 'b', 'c'] as [ContainerId, ContainerId, ContainerId]
  const first = remakings(folder)
  for (const id of [a, b, c]) first.begin(id)
  first.end(a)
  const second = remakings(folder)
  expect([a, b, c].map((id) => second.has(id))).toEqual([false, true, true])
  second.keepOnly(new Set([c]))
  expect([a, b, c].map((id) => remakings(folder).has(id))).toEqual([false, false, true])
  await rm(folder, { recursive: true })
})
