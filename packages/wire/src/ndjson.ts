import type { Readable } from 'node:stream'

const newline = 0x0a

/** One value as a line. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

/** The lines of a stream, without their ends. Throws if one is longer than `limit` bytes. A rest without an end is dropped. */
export async function* lines(source: Readable, limit: number): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = []
  let held = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      parts.push(chunk.subarray(from, at))
      yield Buffer.concat(parts).toString('utf8')
      parts = []
      held = 0
      from = at + 1
    }
    if (from === chunk.length) continue
    parts.push(chunk.subarray(from))
    held += chunk.length - from
    if (held > limit) throw new Error(`a line is longer than ${limit} bytes`)
  }
}
