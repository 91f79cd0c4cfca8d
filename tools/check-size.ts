import { join } from 'node:path'
import { filesOf, report, type SourceFile } from './source-files.ts'

const mostLines = 400

/** A long file is a problem unless its first comment says `Long because …`. */
export function sizeProblems(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1
    if (lines <= mostLines || isExcused(text)) return []
    return [
      `${path} has ${lines} lines; split it (at most ${mostLines}), or say "Long because …" in its first comment.`,
    ]
  })
}

function isExcused(text: string): boolean {
  const comment = /\/\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n?)+/m.exec(text)
  return comment !== null && /\bLong because \S/.test(comment[0])
}

if (import.meta.main) {
  const files = filesOf(join(import.meta.dirname, '..'), '*.ts', '*.tsx')
  report(sizeProblems(files), `sizes of ${files.length} files`)
}
