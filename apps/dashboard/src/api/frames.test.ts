import { expect, test } from 'vitest'
import { framesOf, readFrames } from './frames.ts'

const frame = (kind: number, text: string) => {
  const bytes = Buffer.from(text)
  const header = Buffer.alloc(8)
  header[0] = kind
  header.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

async function read(chunks: readonly Uint8Array<ArrayBuffer>[], type: string): Promise<Record<number, string>> {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  const told: Record<number, string> = {}
  await readFrames(framesOf(new Response(body, { headers: { 'content-type': type } })), ({ kind, bytes }) => {
    told[kind] = (told[kind] ?? '') + Buffer.from(bytes).toString('latin1')
  })
  return told
}

test('frames are the same wherever the network cuts them', async () => {
  const all = new Uint8Array(
    Buffer.concat([
      frame(1, 'out one\n'),
      frame(2, 'err\n'),
      frame(1, ''),
      frame(1, 'two'),
      frame(3, '{"exitCode":0}'),
    ]),
  )
  for (const size of [1, 3, 7, 8, 9, 1000]) {
    const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size))
    expect(await read(chunks, 'application/vnd.docker.multiplexed-stream')).toEqual({
      1: 'out one\ntwo',
      2: 'err\n',
      3: '{"exitCode":0}',
    })
  }
})

test('the bytes of a terminal are no frames', async () => {
  const bytes = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 9])
  expect(await read([bytes], 'application/vnd.docker.raw-stream')).toEqual({ 1: '\x01\0\0\0\0\0\0\t' })
})
