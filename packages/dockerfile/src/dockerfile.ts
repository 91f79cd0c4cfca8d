import { BuildError } from './build-error.ts'

export interface Instruction {
  /** Upper case. */
  readonly name: string
  /** The whole instruction in one line, as the builder shows it. */
  readonly original: string
  /** Without their dashes: `from=base`. */
  readonly flags: readonly string[]
  /** What follows name and flags, trimmed. */
  readonly rest: string
  /** Where it begins; the first line is 1. */
  readonly line: number
}

export interface Dockerfile {
  readonly escape: '\\' | '`'
  readonly instructions: readonly Instruction[]
  /** Told before the first step; empty: none. */
  readonly warning: string
}

const known = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
)

/**
 * The instructions of a Dockerfile as the classic builder splits them: comment lines vanish even inside an instruction,
 * continued lines are joined as they stand. Throws `BuildError` in that builder's words.
 */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const escape = escapeOf(lines)
  const continued = escape === '\\' ? /\\[ \t]*$/ : /`[ \t]*$/
  const instructions: Instruction[] = []
  const gaps: string[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const line = at + 1
    const first = (lines[at] ?? '').trimStart()
    if (first === '' || first.startsWith('#')) continue
    let joined = first.replace(continued, '')
    let open = continued.test(first)
    let gap = false
    while (open && at + 1 < lines.length) {
      at += 1
      const next = lines[at] ?? ''
      gap ||= next.trim() === ''
      if (next.trim() === '' || next.trimStart().startsWith('#')) continue
      joined += next.replace(continued, '')
      open = continued.test(next)
    }
    if (joined.trim() === '') continue
    const instruction = parseInstruction(joined, line)
    refuseHeredoc(instruction, lines.slice(at + 1))
    instructions.push(instruction)
    if (gap) gaps.push(joined)
  }
  return { escape, instructions, warning: gapWarning(gaps) }
}

/** One instruction that stands in one line, as a trigger of ONBUILD does. */
export function parseInstruction(joined: string, line = 1): Instruction {
  const [, word = '', after = ''] = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(joined) ?? []
  const name = word.toUpperCase()
  if (!known.has(name)) throw atLine(line, `unknown instruction: ${name}`)
  const { flags, rest } = splitFlags(after)
  return { name, original: joined, flags, rest, line }
}

export function atLine(line: number, problem: string): BuildError {
  return new BuildError(`dockerfile parse error line ${line}: ${problem}`)
}

function gapWarning(gaps: readonly string[]): string {
  if (gaps.length === 0) return ''
  const found = gaps.map((line) => `[WARNING]: Empty continuation line found in:\n    ${line}\n`).join('')
  return `${found}[WARNING]: Empty continuation lines will become errors in a future release.\n`
}

/** What is wrong before it is even known what each line wants. */
export function unreadable(problem: string): BuildError {
  return new BuildError(`failed to parse Dockerfile: ${problem}`)
}

/** Directives are comments `# name=value` before anything else. */
function escapeOf(lines: readonly string[]): '\\' | '`' {
  for (const line of lines) {
    const [, name = '', value = ''] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line) ?? []
    if (name === '') break
    if (name.toLowerCase() !== 'escape') continue
    if (value === '\\' || value === '`') return value
    throw unreadable(`invalid ESCAPE '${value}'. Must be \` or \\`)
  }
  return '\\'
}

/** The words with two dashes at the beginning; quotes hold a word together. */
function splitFlags(text: string): { flags: string[]; rest: string } {
  const flags: string[] = []
  let rest = text
  for (;;) {
    const [whole = '', body = ''] = /^--((?:[^\s"']|"[^"]*"|'[^']*')*)\s*/.exec(rest) ?? []
    if (whole === '') return { flags, rest }
    rest = rest.slice(whole.length)
    if (body === '') return { flags, rest }
    flags.push(body.replace(/["']/g, ''))
  }
}

/** Otherwise the lines of the document would be taken for instructions, and the error would speak of those. */
function refuseHeredoc({ name, rest, line }: Instruction, following: readonly string[]): void {
  if (name !== 'RUN' && name !== 'COPY' && name !== 'ADD') return
  for (const [, word = ''] of rest.matchAll(/(?:^|[^<])<<-?["']?([A-Za-z_]\w*)/g)) {
    if (!following.some((each) => each.trim() === word)) continue
    throw atLine(
      line,
      `here-documents (<<${word}) require BuildKit, which this service does not offer; write a file and COPY it`,
    )
  }
}
