import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import { encodeFrame, frameKinds } from '@gantry/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Ending, textFrames } from './console-frames.ts'

/** `bytes` in pieces, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
}

async function framesOf(chunks: readonly Buffer[], framed = false, ending: Ending = {}): Promise<Buffer[]> {
  const source = Readable.from(chunks, { objectMode: false })
  return Array.fromAsync(textFrames(source, framed, ending))
}

const places = fc.array(fc.nat(), { maxLength: 12 })

describe('frames for a client that decodes each by itself', () => {
  test('valid UTF-8 comes out as it went in, wherever it is cut', async () => {
    const property = fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), places, async (text, at) => {
      const frames = await framesOf(cut(Buffer.from(text), at))
      expect(Buffer.concat(frames)).toEqual(Buffer.from(text))
      for (const frame of frames) expect(isUtf8(frame) && frame.length > 0).toBe(true)
    })
    await fc.assert(property)
  })

  test('whatever comes, no frame is empty or broken, and ASCII between broken bytes survives', async () => {
    const piece = fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.constantFrom(Buffer.from('ok'), Buffer.from('é€😀')))
    const property = fc.asyncProperty(fc.array(piece), places, async (pieces, at) => {
      const bytes = Buffer.concat(pieces)
      const frames = await framesOf(cut(bytes, at))
      for (const frame of frames) expect(isUtf8(frame) && frame.length > 0).toBe(true)
      const ascii = (all: Buffer) => all.filter((byte) => byte < 0x80)
      expect(ascii(Buffer.concat(frames))).toEqual(ascii(bytes))
    })
    await fc.assert(property)
  })

  test('a character waits for its rest, and half of one is told at the end', async () => {
    const euro = Buffer.from('€')
    expect(await framesOf([euro.subarray(0, 1), euro.subarray(1, 2), euro.subarray(2)])).toEqual([euro])
    expect(await framesOf([euro.subarray(0, 2)])).toEqual([Buffer.from('\u{fffd}')])
  })

  test('output and errors are decoded apart, and the exit code is not shown', async () => {
    const [e1, e2] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)]
    const chunks = [
      encodeFrame(frameKinds.stdout, e1),
      encodeFrame(frameKinds.stderr, Buffer.from('bad')),
      encodeFrame(frameKinds.stdout, e2),
      encodeFrame(frameKinds.end, Buffer.from('{"exitCode":7}')),
    ]
    const ending: Ending = {}
    expect((await framesOf(chunks, true, ending)).map(String)).toEqual(['bad', 'é'])
    expect(ending).toEqual({ exitCode: 7 })
  })
})
