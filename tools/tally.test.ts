import { expect, test } from 'vitest'
import { tally, tallyLine } from './tally.ts'

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
  expect(tallyLine(tally(report(), true))).toBe('6 passed, 0 failed')
  expect(tallyLine(tally(report({ numPendingTests: 2, numTodoTests: 1 }), true))).toBe('6 passed, 0 failed, 3 skipped')
})

test('failed checks, a file that does not load, no report and no tests each count as a failure', () => {
  expect(tally(report(), false).failed).toBe(1)
  expect(tally(report({ testResults: [{ status: 'failed', assertionResults: [] }] }), true).failed).toBe(1)
  expect(tally(undefined, true).failed).toBe(1)
  expect(tally(report({ testResults: [] }), true).failed).toBe(1)
})
