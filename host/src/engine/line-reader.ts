import type { Readable } from 'node:stream'

/** Longest line taken; the engine's own are a few kilobytes. */
const longestLine = 1 << 20

/** The JSON objects of an NDJSON stream, in order, as they come. Ends the stream when the reader stops early. */
export async function* jsonLines(body: Readable): AsyncGenerator<unknown, void> {
  let rest = ''
  body.setEncoding('utf8')
  for await (const chunk of body as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) throw new Error('A line of the engine is too long.')
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line)
  }
  if (rest.trim() !== '') yield JSON.parse(rest)
}
