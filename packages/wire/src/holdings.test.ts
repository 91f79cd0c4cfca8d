import type { ContainerId, Observed } from '@gantry/model'
import { expect, test } from 'vitest'
import { type Holding, holdingDigest, holdingsDigest } from './holdings.ts'
import { assignment } from './test-harness.ts'

const observed: Observed = { engine: null, settled: 1, failure: null }
const holding: Holding = { told: assignment('a'), observed }

test('one holding differs from another by each of its parts', () => {
  const { told } = holding
  const others: Holding[] = [
    holding,
    { told, observed: { ...observed, settled: 2 } },
    { told: { ...told, wish: { ...told.wish, version: 2 } }, observed },
    { told: { ...told, mounts: [{ kind: 'volume' } as never] }, observed },
    { told: { ...told, nics: [{ portId: 'p' } as never] }, observed },
  ]
  expect(new Set(others.map(holdingDigest)).size).toBe(others.length)
  expect(holdingDigest(structuredClone(holding))).toBe(holdingDigest(holding))
})

test('the order in which a host names what it holds says nothing, the ids do', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => [id as ContainerId, 'x'] as const)
  if (!a || !b || !c) throw new Error('three')
  expect(holdingsDigest([a, b])).toBe(holdingsDigest([b, a]))
  expect(holdingsDigest([a, b])).not.toBe(holdingsDigest([a, c]))
  expect(holdingsDigest([a])).not.toBe(holdingsDigest([]))
})
