import { Readable } from 'node:stream'
import type { Container } from '@gantry/model'
import { dockerId } from './ids.ts'

/** Longest sample that is read; one is about 3 kB, and more with many cores. */
const longest = 4 << 20

/** The engine's samples under the container's own name and id: one JSON object a line. */
export function rewrittenStats(raw: Readable, { id, name }: Container): Readable {
  return Readable.from(lines(raw, { id: dockerId(id), name: `/${name}` }), { objectMode: false })
}

async function* lines(raw: Readable, own: { id: string; name: string }): AsyncGenerator<string> {
  let text = ''
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8')
    if (text.length > longest) throw new Error('a sample is too long')
    const complete = text.split('\n')
    text = complete.pop() ?? ''
    for (const line of complete) if (line.trim() !== '') yield rewritten(line, own)
  }
  if (text.trim() !== '') yield rewritten(text, own)
}

function rewritten(line: string, own: { id: string; name: string }): string {
  const sample: unknown = JSON.parse(line)
  return `${JSON.stringify({ ...(sample as object), ...own })}\n`
}
