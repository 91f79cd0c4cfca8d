import { StringDecoder } from 'node:string_decoder'
import type { Readable } from 'node:stream'
import { frameKinds } from '@gantry/wire'
import { framesOf } from './json-stream.ts'

/** What a session's end told. */
export interface Ending {
  exitCode?: number
}

/**
 * What goes out to a websocket client, which decodes each frame by itself, strictly, and takes an empty one for the end:
 * each is valid UTF-8 and holds at least one character. A character that is cut waits for its rest; bytes that can never
 * become one pass as U+FFFD. Leaving the loop early destroys the source.
 */
export async function* textFrames(source: Readable, framed: boolean, ending: Ending): AsyncGenerator<Buffer> {
  // Output and errors are decoded apart: a character may be cut by a frame of the other one.
  const decoders = new Map<number, StringDecoder>()
  for await (const { kind, payload } of framed ? framesOf(source) : asFrames(source)) {
    if (kind === frameKinds.end) {
      Object.assign(ending, readEnding(payload))
      continue
    }
    const decoder = decoders.get(kind) ?? new StringDecoder('utf8')
    decoders.set(kind, decoder)
    const text = decoder.write(payload)
    if (text !== '') yield Buffer.from(text)
  }
  for (const decoder of decoders.values()) {
    const rest = decoder.end()
    if (rest !== '') yield Buffer.from(rest)
  }
}

async function* asFrames(source: Readable): AsyncGenerator<{ kind: number; payload: Buffer }> {
  for await (const payload of source as AsyncIterable<Buffer>) yield { kind: frameKinds.stdout, payload }
}

function readEnding(payload: Buffer): Ending {
  const end: unknown = JSON.parse(payload.toString())
  if (typeof end !== 'object' || end === null || !('exitCode' in end)) return {}
  return typeof end.exitCode === 'number' ? { exitCode: end.exitCode } : {}
}
