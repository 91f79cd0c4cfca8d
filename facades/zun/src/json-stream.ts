import { pipeline, Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { type Frame, FrameDecoder, frameKinds } from '@gantry/wire'

/**
 * One bare JSON string, escaped while it flows: bytes are read as UTF-8 (invalid ones become U+FFFD), no character is cut
 * in two, and the source is read no faster than the client takes it.
 */
export function jsonStringOf(source: Readable, framed: boolean): Readable {
  return Readable.from(quoted(framed ? framedText(source) : plainText(source)), { objectMode: false })
}

/** `{"data":"…","stat":{…}}` with the tar in base64, or as text (what clients before 1.25 expect). */
export function archiveJson(tar: Readable, stat: object, base64: boolean): Readable {
  return Readable.from(archiveParts(tar, stat, base64), { objectMode: false })
}

async function* archiveParts(tar: Readable, stat: object, base64: boolean): AsyncGenerator<Buffer> {
  yield Buffer.from('{"data":')
  yield* quoted(base64 ? base64Text(tar) : plainText(tar))
  yield Buffer.from(`,"stat":${JSON.stringify(stat)}}`)
}

async function* quoted(parts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  yield Buffer.from('"')
  for await (const part of parts) if (part !== '') yield Buffer.from(JSON.stringify(part).slice(1, -1))
  yield Buffer.from('"')
}

async function* plainText(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  for await (const chunk of source) yield decoder.write(chunk)
  yield decoder.end()
}

/** Output and errors are decoded apart: a character may be cut by a frame of the other one. */
async function* framedText(source: Readable): AsyncGenerator<string> {
  const decoders = new Map(
    [frameKinds.stdout, frameKinds.stderr].map((kind) => [kind as number, new StringDecoder('utf8')]),
  )
  for await (const { kind, payload } of framesOf(source)) yield decoders.get(kind)?.write(payload) ?? ''
  for (const decoder of decoders.values()) yield decoder.end()
}

/** The frames of a multiplexed stream. Leaving the loop early, or an error, destroys the source. */
export async function* framesOf(source: Readable): AsyncGenerator<Frame> {
  const decoder = new FrameDecoder()
  // An error reaches the loop below through the decoder.
  pipeline(source, decoder, () => undefined)
  for await (const frame of decoder) yield frame as Frame
}

async function* base64Text(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole = bytes.length - (bytes.length % 3)
    yield bytes.toString('base64', 0, whole)
    rest = bytes.subarray(whole)
  }
  yield rest.toString('base64')
}
