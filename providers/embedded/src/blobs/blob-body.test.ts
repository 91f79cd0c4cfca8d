import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ByteRange } from '@gantry/control'
import type { Digest } from '@gantry/model'
import { expect, onTestFinished, test } from 'vitest'
import { BlobBody } from './blob-body.ts'
import { SharedFile } from './shared-file.ts'

const content = randomBytes((2 << 20) + 17)
const digest = `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest

async function aBody(checked: Promise<unknown> = Promise.resolve(), range?: ByteRange): Promise<BlobBody> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-body-'))
  onTestFinished(async () => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'blob'), content)
  const file = await SharedFile.open(join(folder, 'blob'))
  return new BlobBody(file, digest, range ?? { start: 0, end: content.length - 1 }, checked)
}

/** Takes each chunk a moment after it came, as a connection does; what it was given must not have changed by then. */
function slowReader(): { readonly to: Writable; readonly taken: () => Buffer } {
  const parts: Buffer[] = []
  const to = new Writable({
    write(chunk: Buffer, _encoding, done) {
      setImmediate(() => {
        parts.push(Buffer.from(chunk))
        done()
      })
    },
  })
  return { to, taken: () => Buffer.concat(parts) }
}

test('what it writes itself is what is read from it, and of a range too', async () => {
  for (const range of [undefined, { start: 5, end: 700_000 }, { start: 0, end: 0 }]) {
    const { to, taken } = slowReader()
    const body = await aBody(undefined, range)
    await body.writeTo(to)
    expect(taken().equals(await buffer(await aBody(undefined, range)))).toBe(true)
    expect([body.destroyed, to.writableEnded]).toEqual([true, false])
  }
})

test('what turns out to be corrupt never comes to its end', async () => {
  const { to, taken } = slowReader()
  const checked = Promise.reject(new Error('it is corrupt'))
  checked.catch(() => undefined)
  const body = await aBody(checked)
  await expect(body.writeTo(to)).rejects.toThrow('it is corrupt')
  expect(taken().length).toBeLessThan(content.length)
  expect(body.destroyed).toBe(true)
})

test('it lets go when the reader or somebody else breaks off', async () => {
  const stuck = new Writable({ write: () => undefined })
  const left = await aBody()
  const writing = left.writeTo(stuck)
  setImmediate(() => stuck.destroy())
  await expect(writing).rejects.toThrow('the reader broke off')
  expect(left.destroyed).toBe(true)

  const ended = await aBody()
  const other = ended.writeTo(slowReader().to)
  ended.destroy(new Error('nobody wants it'))
  await expect(other).rejects.toThrow()
})
