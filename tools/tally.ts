import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

interface Results {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: {
    name: string
    status: string
    message: string
    startTime: number
    endTime: number
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
  }[]
}

export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Sums vitest's JSON reports, one of each run, and the checks (as one test). A file that could not even be loaded has no tests
 * in the report and counts as one failure; so does a report that is missing or empty.
 */
export function tally(reports: readonly (string | undefined)[], checksPassed: boolean): Tally {
  const checks = checksPassed ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
  return reports.map(tallyOf).reduce(
    (sum, of) => ({
      passed: sum.passed + of.passed,
      failed: sum.failed + of.failed,
      skipped: sum.skipped + of.skipped,
    }),
    checks,
  )
}

function tallyOf(report: string | undefined): Tally {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 }
  const results = JSON.parse(report) as Results
  const broken = results.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  const none = results.testResults.length === 0 ? 1 : 0
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + broken.length + none,
    skipped: results.numPendingTests + results.numTodoTests,
  }
}

export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** What failed, each with the beginning of its reason: the last lines of a long log are what people see of it. */
export function failuresIn(report: string): string[] {
  const { testResults } = JSON.parse(report) as Results
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (status === 'failed' && failed.length === 0) return [`${name}: ${shortened(message)}`]
    return failed.map(
      ({ fullName, failureMessages }) => `${name} > ${fullName}: ${shortened(failureMessages.join('\n'))}`,
    )
  })
}

/** The files that took longest, with their seconds: where to look when the whole takes too long. */
export function slowestIn(reports: readonly string[], most = 20): string[] {
  return reports
    .flatMap((report) => (JSON.parse(report) as Results).testResults)
    .map(({ name, startTime, endTime }) => ({ name: relative('.', name), seconds: (endTime - startTime) / 1000 }))
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, most)
    .map(({ name, seconds }) => `${seconds.toFixed(0)} s ${name}`)
}

function shortened(message: string): string {
  return stripVTControlCharacters(message).slice(0, 1500)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const [, , checks, ...paths] = process.argv
  const reports = paths.map(read)
  const result = tally(reports, checks === 'passed')
  console.log(`The slowest: ${slowestIn(reports.filter((report) => report !== undefined)).join(', ')}`)
  if (checks !== 'passed') console.log('FAILED the checks (npm run check)')
  for (const failure of reports.flatMap((report) => (report ? failuresIn(report) : [])))
    console.log(`FAILED ${failure}`)
  console.log(tallyLine(result))
  process.exitCode = result.failed > 0 ? 1 : 0
}
