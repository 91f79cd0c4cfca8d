import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { encodeFrame, frameKinds } from '@gantry/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { archiveJson, jsonStringOf } from './json-stream.ts'

const cut = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
const streamOf = (chunks: Buffer[]) => Readable.from(chunks, { objectMode: false })

describe('jsonStringOf', () => {
  test('is the JSON of the text, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 5 }), async (line, size) => {
        const chunks = cut(Buffer.from(line), size)
        expect(JSON.parse(await text(jsonStringOf(streamOf(chunks), false)))).toBe(line)
        const frames = chunks.map((chunk) => encodeFrame(frameKinds.stdout, chunk))
        expect(JSON.parse(await text(jsonStringOf(streamOf(cut(Buffer.concat(frames), 3)), true)))).toBe(line)
      }),
      { numRuns: 60 },
    )
  })

  test('replaces invalid bytes and keeps the two outputs apart', async () => {
    expect(JSON.parse(await text(jsonStringOf(streamOf([Buffer.from([0x61, 0xff, 0x62])]), false)))).toBe('a\uFFFDb')
    const euro = Buffer.from('€')
    const frames = [
      encodeFrame(frameKinds.stdout, euro.subarray(0, 1)),
      encodeFrame(frameKinds.stderr, Buffer.from('e')),
      encodeFrame(frameKinds.stdout, euro.subarray(1)),
    ]
    expect(JSON.parse(await text(jsonStringOf(streamOf(frames), true)))).toBe('e€')
  })

  test('fails when its source fails', async () => {
    const failing = new Readable({ read() {} })
    failing.push('abc')
    setImmediate(() => failing.destroy(new Error('gone')))
    await expect(text(jsonStringOf(failing, true))).rejects.toThrow('gone')
  })

  test('reads no further than it is read', async () => {
    let made = 0
    const endless = new Readable({
      read() {
        made += 1
        this.push(Buffer.alloc(1024, 0x61))
      },
    })
    const json = jsonStringOf(endless, false)
    json.read(0)
    await new Promise((later) => setTimeout(later, 100))
    expect(made).toBeLessThan(300)
    endless.destroy()
    json.destroy()
  })
})

test('archiveJson holds the tar in base64', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 20 }), async (bytes, size) => {
      const data = Buffer.from(bytes)
      const json = JSON.parse(await text(archiveJson(streamOf(cut(data, size)), { name: 'x' }, true)))
      expect(json).toEqual({ data: data.toString('base64'), stat: { name: 'x' } })
    }),
    { numRuns: 40 },
  )
})
