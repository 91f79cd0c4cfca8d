import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** What git knows of, committed or not, and does not ignore. */
export function filesOf(root: string, ...patterns: string[]): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  })
  return [...new Set(listed.split('\n'))]
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** Prints the problems and ends with 1 if there are any; else prints `fine`. */
export function report(problems: readonly string[], fine: string): void {
  for (const problem of problems) console.error(`✗ ${problem}`)
  if (problems.length === 0) console.log(`✓ ${fine}`)
  else process.exitCode = 1
}
