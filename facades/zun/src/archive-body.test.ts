import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readArchiveBody } from './archive-body.ts'
import { Refusal } from './errors.ts'

const tooLarge = () => new Refusal(413, '', 'too large')

async function read(json: string, { size = 7, base64 = true, limit = 1e6 } = {}) {
  const bytes = Buffer.from(json)
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )
  const upload = await readArchiveBody(Readable.from(chunks, { objectMode: false }), { limit, tooLarge, base64 })
  return { path: upload.path, tar: await buffer(upload.tar) }
}

describe('readArchiveBody', () => {
  test('gives back any bytes, however the body is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 40 }), async (bytes, size) => {
        const data = Buffer.from(bytes)
        // Python's encoders break lines, others escape slashes.
        const escaped = data
          .toString('base64')
          .replaceAll('/', '\\/')
          .replace(/(.{20})/g, '$1\\n')
        expect((await read(`{"data": "${escaped}"}`, { size })).tar).toEqual(data)
      }),
      { numRuns: 60 },
    )
  })

  test('gives back any text below 1.25', async () => {
    const ascii = (text: string) =>
      text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 9 }), async (text, size) => {
        const plain = JSON.stringify({ data: text })
        expect((await read(plain, { size, base64: false })).tar.toString()).toBe(text)
        expect((await read(ascii(plain), { size, base64: false })).tar.toString()).toBe(text)
      }),
      { numRuns: 60 },
    )
  })

  test('takes a path before or after the data', async () => {
    expect(await read(' { "path" : "/t\\u006dp" , "data":"aGk=" } ')).toEqual({ path: '/tmp', tar: Buffer.from('hi') })
    expect((await read('{"data":"aGk","path":"/tmp"}')).tar.toString()).toBe('hi')
  })

  test.each([
    '',
    '[]',
    '"data"',
    '{}',
    '{"path":"/"}',
    '{"data":null}',
    '{"data":{}}',
    '{"data":"aGk="',
    '{"data":"aGk',
    '{"data":"aGk="} x',
    '{"data":"aGk=","more":"x"}',
    '{"date":"aGk="}',
    '{"data":"a"}',
    '{"data":"aGk=aGk="}',
    '{"data":"\\x"}',
    '{"data":"a\u0001"}',
    '{"data":"?"}',
    `{"${'x'.repeat(9999)}":"a"}`,
  ])('%s is 400', async (json) => {
    await expect(read(json)).rejects.toMatchObject({ status: 400 })
  })

  test('ends at its limit', async () => {
    await expect(read(`{"data":"${'aaaa'.repeat(999)}"}`, { limit: 2000 })).rejects.toMatchObject({ status: 413 })
  })
})
