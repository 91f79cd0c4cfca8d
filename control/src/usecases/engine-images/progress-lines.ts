import { Readable } from 'node:stream'

/** What an engine says in the lines of its progress, as far as it matters here. */
export interface ProgressLine {
  readonly status?: unknown
  readonly stream?: unknown
  readonly error?: unknown
  readonly [other: string]: unknown
}

/** A line of an engine may be long; one without end is nobody's progress. Characters. */
const longestLine = 4 << 20

/** The JSON objects of a progress, as they come. */
export async function* progressLines(source: Readable): AsyncGenerator<ProgressLine> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of source as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) throw new Error('A line of the progress is too long.')
    yield* parsed(lines)
  }
  yield* parsed([rest])
}

function* parsed(lines: readonly string[]): Generator<ProgressLine> {
  for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as ProgressLine
}

/** A progress as a stream of bytes. What is thrown becomes its last line, as engines tell errors. */
export function progressOf(lines: AsyncIterable<object> | Iterable<object>): Readable {
  return Readable.from(encoded(lines), { objectMode: false })
}

async function* encoded(lines: AsyncIterable<object> | Iterable<object>): AsyncGenerator<string> {
  try {
    for await (const line of lines) yield `${JSON.stringify(line)}\r\n`
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    yield `${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`
  }
}
