import { expect, test } from 'vitest'
import { filters, roomFilters } from './filters.ts'
import { remedyFor } from './remedies.ts'

test.each([...filters, ...roomFilters].map(({ why }) => why))('whom %s refuses is told what to do next', (why) => {
  for (const who of ['owner', 'operator'] as const) expect(remedyFor(why, who)).toMatch(/^[A-Z].+\.$|limit\.$/)
  expect(remedyFor(why, 'operator')).not.toBe(remedyFor('no such reason', 'operator'))
})
