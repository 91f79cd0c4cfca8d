import { expect, test } from 'vitest'
import { missingFromLock } from './check-lock.ts'
import { sizeProblems } from './check-size.ts'

const lines = (count: number) => 'x()\n'.repeat(count)

test('400 lines pass and 401 do not', () => {
  expect(sizeProblems([{ path: 'a.ts', text: lines(400) }])).toEqual([])
  expect(sizeProblems([{ path: 'a.ts', text: lines(401) }])).toEqual([expect.stringContaining('401 lines')])
})

test('a reason in the first comment excuses, in a later one it does not', () => {
  const reason = '/** Long because the table belongs together. */\n'
  expect(sizeProblems([{ path: 'a.ts', text: reason + lines(500) }])).toEqual([])
  expect(sizeProblems([{ path: 'a.ts', text: `// The table.\n${lines(500)}${reason}` }])).toHaveLength(1)
})

test('an optional package without an entry is missing from the lock file', () => {
  const packages = {
    '': { optionalDependencies: { 'a-linux-x64-musl': '1.0.0', 'a-linux-x64': '1.0.0' } },
    'node_modules/a-linux-x64': {},
  }
  expect(missingFromLock({ packages })).toEqual({
    'node_modules/a-linux-x64-musl': { version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['musl'], optional: true },
  })
})
