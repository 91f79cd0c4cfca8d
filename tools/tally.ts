import { readFileSync } from 'node:fs'

interface Results {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: unknown[] }[]
}

export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Sums vitest's JSON report and the checks (as one test). A file that could not even be loaded has no tests in the report
 * and counts as one failure; so does a report that is missing or empty.
 */
export function tally(report: string | undefined, checksPassed: boolean): Tally {
  const checks = checksPassed ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  if (report === undefined) return { passed: checks.passed, failed: checks.failed + 1, skipped: 0 }
  const results = JSON.parse(report) as Results
  const broken = results.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  const none = results.testResults.length === 0 ? 1 : 0
  return {
    passed: results.numPassedTests + checks.passed,
    failed: results.numFailedTests + broken.length + none + checks.failed,
    skipped: results.numPendingTests + results.numTodoTests,
  }
}

export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const [, , path = '', checks] = process.argv
  const result = tally(read(path), checks === 'passed')
  console.log(tallyLine(result))
  process.exitCode = result.failed > 0 ? 1 : 0
}
