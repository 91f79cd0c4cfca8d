import { expect, test } from 'vitest'
import { corrected, failuresIn, slowestIn, tally, tallyLine, worthAnother } from './tally.ts'

const report = (more: object = {}) =>
  JSON.stringify({
    numPassedTests: 5,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [{ status: 'passed', assertionResults: [{}] }],
    ...more,
  })

test('the line has three numbers only when something was skipped', () => {
  expect(tallyLine(tally([report()], true))).toBe('6 passed, 0 failed')
  expect(tallyLine(tally([report({ numPendingTests: 2, numTodoTests: 1 })], true))).toBe(
    '6 passed, 0 failed, 3 skipped',
  )
})

test('failed checks, a file that does not load, no report and no tests each count as a failure', () => {
  expect(tally([report()], false).failed).toBe(1)
  expect(tally([report({ testResults: [{ status: 'failed', assertionResults: [] }] })], true).failed).toBe(1)
  expect(tally([undefined], true).failed).toBe(1)
  expect(tally([report({ testResults: [] })], true).failed).toBe(1)
})

test('several runs are summed, and the one that left nothing behind is a failure', () => {
  expect(tallyLine(tally([report(), report({ numPassedTests: 3, numPendingTests: 1 })], true))).toBe(
    '9 passed, 0 failed, 1 skipped',
  )
  expect(tallyLine(tally([report(), undefined], true))).toBe('6 passed, 1 failed')
})

test('what failed is named with its reason, a file that does not load too', () => {
  const failed = { status: 'failed', fullName: 'a wall holds', failureMessages: ['\x1b[31mexpected 1 to be 2\x1b[39m'] }
  const passed = { status: 'passed', fullName: 'a door opens', failureMessages: [] }
  const files = [
    { name: 'walls.test.ts', status: 'failed', message: '', assertionResults: [passed, failed] },
    { name: 'doors.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
  ]
  expect(failuresIn(report({ testResults: files }))).toEqual([
    'walls.test.ts > a wall holds: expected 1 to be 2',
    'doors.test.ts: no such module',
  ])
})

test('the slowest files of all runs are named, the slowest first', () => {
  const files = [2, 40, 9].map((seconds) => ({
    name: `${process.cwd()}/tests/${seconds}.test.ts`,
    startTime: 0,
    endTime: seconds * 1000,
  }))
  expect(slowestIn([report({ testResults: files.slice(0, 1) }), report({ testResults: files.slice(1) })], 2)).toEqual([
    '40 s tests/40.test.ts',
    '9 s tests/9.test.ts',
  ])
})

const file = (name: string, ...statuses: string[]) => ({
  name: `${process.cwd()}/${name}`,
  status: statuses.includes('failed') ? 'failed' : 'passed',
  message: '',
  assertionResults: statuses.map((status) => ({ status, fullName: 'it', failureMessages: ['no'] })),
})
const files = (...testResults: object[]) => report({ testResults })

test('a few files that failed are worth another run; many are not, nor is what looks for rare defects', () => {
  const failed = (name: string) => file(name, 'passed', 'failed')
  expect(worthAnother(files(file('tests/a.test.ts', 'passed'), failed('tests/b.test.ts')))).toEqual(['tests/b.test.ts'])
  expect(worthAnother(files(...['a', 'b', 'c', 'd', 'e'].map(failed)))).toEqual([])
  expect(worthAnother(files(failed('tests/b.test.ts'), failed('tests/faults/campaign.test.ts')))).toEqual([])
})

test('a second run of a file says what becomes of its tests, and of no other’s', () => {
  const first = report({
    numPassedTests: 2,
    numFailedTests: 2,
    numPendingTests: 1,
    testResults: [file('a', 'failed'), file('b', 'passed', 'failed', 'skipped'), file('c', 'passed')],
  })
  const second = report({
    numPassedTests: 2,
    numPendingTests: 1,
    testResults: [file('b', 'passed', 'passed', 'skipped')],
  })
  const both = corrected(first, second)
  expect(tallyLine(tally([both], true))).toBe('4 passed, 1 failed, 1 skipped')
  expect(failuresIn(both)).toHaveLength(1)
})
