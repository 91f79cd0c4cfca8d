import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { randomBytes } from 'node:crypto'
import { Fault } from '@gantry/kernel'
import { expect, test } from 'vitest'
import { readArchive } from './read-archive.ts'
import { aCatalogue, ann } from './testing/a-catalogue.ts'
import { tarOf } from './testing/tars.ts'

const never = new AbortController().signal

/** Status of the answer to a request with this body, all of which is sent before the answer is looked at. */
async function answerTo(body: Buffer): Promise<number | undefined> {
  const server = createServer((call, answer) => {
    readArchive(aCatalogue().deps, ann, call, never).then(
      () => answer.writeHead(200).end(),
      (error: unknown) => answer.writeHead(error instanceof Fault ? 400 : 500).end(),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const call = request({ port, method: 'POST' })
    call.end(body)
    const [answer] = (await once(call, 'response')) as [{ statusCode?: number; resume(): void }]
    // The server may hang up while much is still on its way.
    call.on('error', () => undefined)
    answer.resume()
    return answer.statusCode
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const much = randomBytes(30 << 20)
test.each<[string, () => Promise<Buffer> | Buffer]>([
  ['no tar', () => Buffer.alloc(30 << 20, 7)],
  ['xz', () => Buffer.concat([Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), much])],
  ['a broken gzip', () => Buffer.concat([gzipSync('x').subarray(0, 12), much])],
  ['a bad path before much else', () => tarOf(['../x', 'x'], ['y', much])],
  ['no manifest', () => tarOf(['y', much])],
])('who sends %s is answered', async (_what, made) => {
  expect(await answerTo(await made())).toBe(400)
})
