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

/** Files that failed by so many at most are run again: more is no accident. */
const mostAgain = 4
/** What looks for rare defects is not: what it once finds counts. */
const firstWordCounts = /fault|kill|cut|rounds|life/

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

/** Files to be run once more, alone, when the machine has nothing else to do; none if the failures are no accident. */
export function worthAnother(report: string): string[] {
  const { testResults } = JSON.parse(report) as Results
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative('.', name))
  return failed.length > mostAgain || failed.some((name) => firstWordCounts.test(name)) ? [] : failed
}

/** The first report, with what the second says of the files that it has. */
export function corrected(first: string, second: string): string {
  const [before, after] = [first, second].map((text) => JSON.parse(text) as Results) as [Results, Results]
  const again = new Set(after.testResults.map(({ name }) => name))
  const replaced = before.testResults.filter(({ name }) => again.has(name)).flatMap((file) => file.assertionResults)
  const numberOf = (status: string) => replaced.filter((test) => test.status === status).length
  return JSON.stringify({
    numPassedTests: before.numPassedTests + after.numPassedTests - numberOf('passed'),
    numFailedTests: before.numFailedTests + after.numFailedTests - numberOf('failed'),
    numPendingTests: before.numPendingTests + after.numPendingTests - numberOf('skipped') - numberOf('pending'),
    numTodoTests: before.numTodoTests + after.numTodoTests - numberOf('todo'),
    testResults: [...before.testResults.filter(({ name }) => !again.has(name)), ...after.testResults],
  } satisfies Results)
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

/** A report beside which there is one of a second run (`x.json`, `x-again.json`) is corrected by it, for all to see. */
function readCorrected(path: string): string | undefined {
  const [first, second] = [read(path), read(path.replace(/\.json$/, '-again.json'))]
  if (first === undefined || second === undefined) return first
  for (const failure of failuresIn(first)) console.log(`RUN AGAIN, because it had FAILED ${failure}`)
  return corrected(first, second)
}

function main(): void {
  const [, , mode, ...paths] = process.argv
  if (mode === '--again')
    return console.log(paths.flatMap((path) => worthAnother(read(path) ?? '{"testResults":[]}')).join(' '))
  const reports = paths.map(readCorrected)
  const result = tally(reports, mode === 'passed')
  const there = reports.filter((report) => report !== undefined)
  console.log(`The slowest: ${slowestIn(there).join(', ')}`)
  if (mode !== 'passed') console.log('FAILED the checks (npm run check)')
  for (const failure of there.flatMap(failuresIn)) console.log(`FAILED ${failure}`)
  console.log(tallyLine(result))
  process.exitCode = result.failed > 0 ? 1 : 0
}

if (import.meta.main) main()
