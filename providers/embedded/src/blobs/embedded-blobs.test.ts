import { randomBytes } from 'node:crypto'
import { appendFile, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Fault } from '@gantry/kernel'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { type AStore, aStore, blobPath, contentOf, digestOf, never, noLimit, put, uploadId } from './testing/a-store.ts'

/** In the project `postgres` of the tests; what only files can be tried on is left out there. */
const postgres = inject('postgres')

let store: AStore
beforeEach(async () => {
  store = await aStore(postgres)
})
afterEach(async () => await store[Symbol.asyncDispose]())

const id = uploadId('u-1')
const large = randomBytes(3 << 20)

async function append(content: Buffer, offset: number | null = null, upload = id) {
  return await store.blobs.append(upload, Readable.from([content]), { ...noLimit, offset }, never)
}

describe('an upload', () => {
  test('becomes the blob that it is, in pieces, by either algorithm', async () => {
    await store.blobs.begin(id)
    expect(await append(large, 0)).toBe(large.length)
    await store.blobs.begin(id)
    expect(await store.blobs.received(id)).toBe(large.length)
    expect(await append(Buffer.from('end'), large.length)).toBe(large.length + 3)
    const whole = Buffer.concat([large, Buffer.from('end')])
    const digest = digestOf(whole, 'sha512')
    expect(await store.blobs.finish(id, digest)).toEqual({ size: whole.length })
    expect(await store.blobs.stat(digest)).toEqual({ size: whole.length })
    expect((await contentOf(store.blobs, digest)).equals(whole)).toBe(true)
    expect(await contentOf(store.blobs, digest, { start: large.length, end: large.length + 1 })).toEqual(
      Buffer.from('en'),
    )
    expect(await store.blobs.stat(digestOf(whole))).toBeNull()
  })

  test('is kept when it is not what it should be', async () => {
    await store.blobs.begin(id)
    await append(Buffer.from('ab'))
    const wrong = digestOf(Buffer.from('abc'))
    const fault = { code: 'digest.mismatch', details: { digest: wrong, actual: digestOf(Buffer.from('ab')) } }
    await expect(store.blobs.finish(id, wrong)).rejects.toMatchObject(fault)
    await append(Buffer.from('c'), 2)
    expect(await store.blobs.finish(id, wrong)).toEqual({ size: 3 })
  })

  test('finished twice is finished once, and never as another blob', async () => {
    const secret = await put(store.blobs, Buffer.from('secret'))
    await store.blobs.begin(id)
    await append(Buffer.from('mine'))
    const mine = digestOf(Buffer.from('mine'))
    await expect(store.blobs.finish(id, secret)).rejects.toMatchObject({ code: 'digest.mismatch' })
    const twice = [store.blobs.finish(id, mine), store.blobs.finish(id, mine), store.blobs.finish(id, secret)]
    const ended = await Promise.allSettled(twice)
    expect(ended).toMatchObject([
      { value: { size: 4 } },
      { value: { size: 4 } },
      { reason: { code: 'upload.unknown' } },
    ])
    await store.restart()
    expect(await store.blobs.finish(id, mine)).toEqual({ size: 4 })
    await expect(store.blobs.finish(id, secret)).rejects.toMatchObject({ code: 'upload.unknown' })
    await store.blobs.abort(id)
    await expect(store.blobs.finish(id, mine)).rejects.toMatchObject({ code: 'upload.unknown' })
    expect(await Array.fromAsync(store.blobs.uploads(), ({ id }) => id)).not.toContain(id)
  })

  test('goes on after a new start', async () => {
    await store.blobs.begin(id)
    await append(Buffer.from('before '))
    await store.restart()
    await expect(append(Buffer.from('x'), 3)).rejects.toMatchObject({
      code: 'upload.out-of-order',
      details: { received: 7 },
    })
    expect(await append(Buffer.from('after'), 7)).toBe(12)
    expect(await store.blobs.finish(id, digestOf(Buffer.from('before after')))).toEqual({ size: 12 })
  })

  test('keeps what came of a body that breaks off, and no more than its limit', async () => {
    await store.blobs.begin(id)
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('came')
        throw new Error('gone')
      })(),
      { objectMode: false },
    )
    await expect(store.blobs.append(id, broken, noLimit, never)).rejects.toThrow('gone')
    expect(await store.blobs.received(id)).toBe(4)
    const most = { offset: 4, limit: 6 }
    const body = Readable.from([Buffer.from('xx'), Buffer.from('y')])
    await expect(store.blobs.append(id, body, most, never)).rejects.toMatchObject({ code: 'request.too-large' })
    expect(await store.blobs.received(id)).toBe(6)
    expect(await store.blobs.finish(id, digestOf(Buffer.from('camexx')))).toEqual({ size: 6 })
  })

  test('has one writer, who stops when it is aborted', async () => {
    await store.blobs.begin(id)
    const slow = new PassThrough()
    const writer = store.blobs.append(id, slow, noLimit, never)
    await expect(append(Buffer.from('x'))).rejects.toMatchObject({ code: 'upload.out-of-order' })
    await expect(store.blobs.finish(id, digestOf(Buffer.from('')))).rejects.toMatchObject({
      code: 'upload.out-of-order',
    })
    const ended = expect(writer).rejects.toMatchObject({ code: 'upload.unknown' })
    await store.blobs.abort(id)
    await ended
    await expect(store.blobs.received(id)).rejects.toMatchObject({ code: 'upload.unknown' })
    await store.blobs.abort(id)
  })

  test('stops when its caller does', async () => {
    await store.blobs.begin(id)
    const stop = new AbortController()
    const slow = new PassThrough()
    slow.write('some')
    const writer = store.blobs.append(id, slow, noLimit, stop.signal)
    const ended = expect(writer).rejects.toMatchObject({ name: 'AbortError' })
    setImmediate(() => stop.abort())
    await ended
    expect(slow.destroyed).toBe(true)
  })

  test('has an id that is no path', async () => {
    for (const bad of ['../x', 'a/b', '', 'A', 'a.done', '\0']) {
      await expect(store.blobs.begin(uploadId(bad))).rejects.toMatchObject({ code: 'upload.unknown' })
      await expect(store.blobs.abort(uploadId(bad))).rejects.toMatchObject({ code: 'upload.unknown' })
    }
  })

  test('two of the same content may finish at once', async () => {
    const ids = ['a', 'b', 'c'].map(uploadId)
    for (const each of ids) {
      await store.blobs.begin(each)
      await append(large, 0, each)
    }
    const digest = digestOf(large)
    await Promise.all(ids.map((each) => store.blobs.finish(each, digest)))
    expect((await contentOf(store.blobs, digest)).equals(large)).toBe(true)
  })
})

const onlyOfFiles = postgres === undefined ? describe : () => undefined
onlyOfFiles('what is corrupt', () => {
  const damages: Record<string, (path: string) => Promise<void>> = {
    'a flipped byte': async (path) => {
      const bytes = await readFile(path)
      bytes[1 << 20] = (bytes[1 << 20] ?? 0) ^ 1
      await writeFile(path, bytes)
    },
    'a lost end': (path) => truncate(path, large.length - 1),
    'an addition': (path) => appendFile(path, 'x'),
  }
  test.each(Object.keys(damages))('%s: is not given out, told once, and healed by a new push', async (name) => {
    const digest = await put(store.blobs, large)
    await damages[name]?.(blobPath(store, digest))
    const bodies = await Promise.all([1, 2, 3].map(() => store.blobs.open(digest)))
    for (const each of await Promise.allSettled(bodies.map(({ body }) => buffer(body)))) {
      expect(each).toMatchObject({ reason: { code: 'blob.corrupt' } })
    }
    await expect(store.blobs.open(digest)).rejects.toMatchObject({ code: 'blob.unknown' })
    expect(await store.blobs.stat(digest)).toBeNull()
    expect(store.told).toHaveLength(1)
    await put(store.blobs, large, 'again')
    expect((await contentOf(store.blobs, digest)).equals(large)).toBe(true)
    expect(await store.blobs.verify(digest, never)).toBe('sound')
  })

  test('never gives all bytes of a wrong length out: what comes before is less than promised', async () => {
    const digest = await put(store.blobs, large)
    await damages['a flipped byte']?.(blobPath(store, digest))
    const { size, body } = await store.blobs.open(digest)
    let came = 0
    body.on('data', (chunk: Buffer) => (came += chunk.length))
    await new Promise((resolve) => body.on('error', resolve))
    expect(came).toBeLessThan(size)
  })

  test('is told at once of a small one, and of a part', async () => {
    for (const [content, range] of [
      [Buffer.from('small'), undefined],
      [large, { start: 0, end: 9 }],
    ] as const) {
      const digest = await put(store.blobs, content)
      const file = await open(blobPath(store, digest), 'r+')
      await file.write(Buffer.from('!'), 0, 1, content.length - 1)
      await file.close()
      await expect(store.blobs.open(digest, range)).rejects.toMatchObject({ code: 'blob.corrupt' })
    }
  })

  test('is found by a look at it', async () => {
    const digest = await put(store.blobs, large)
    expect(await store.blobs.verify(digest, never)).toBe('sound')
    await truncate(blobPath(store, digest), 5)
    expect(await store.blobs.verify(digest, never)).toBe('corrupt')
    expect(await store.blobs.verify(digest, never)).toBe('absent')
    await expect(store.blobs.verify(await put(store.blobs, large), AbortSignal.abort())).rejects.toThrow()
  })
})

describe('readers', () => {
  test('read on while it is removed, checked already or not', async () => {
    const digest = await put(store.blobs, large)
    const known = await store.blobs.open(digest)
    await store.restart()
    const unknown = await store.blobs.open(digest)
    await store.blobs.remove(digest)
    await store.blobs.remove(digest)
    for (const { body } of [known, unknown]) expect((await buffer(body)).equals(large)).toBe(true)
    await expect(store.blobs.open(digest)).rejects.toBeInstanceOf(Fault)
  })

  const onlyFiles = postgres === undefined ? test : () => undefined
  onlyFiles('let go of the file when they end, break off or never begin', async () => {
    const digest = await put(store.blobs, large)
    await store.restart()
    const openFiles = async () => (await readdir('/proc/self/fd')).length
    const before = await openFiles()
    for (let round = 0; round < 20; round += 1) {
      const [whole, part, none] = [
        await store.blobs.open(digest),
        await store.blobs.open(digest),
        await store.blobs.open(digest),
      ]
      await buffer(whole.body)
      for await (const chunk of part.body) if (chunk) break
      await new Promise((resolve) => none.body.destroy().once('close', resolve))
    }
    expect((await openFiles()) - before).toBeLessThan(10)
  })

  test('ask for no more than there is; an empty blob is one', async () => {
    const digest = await put(store.blobs, Buffer.from('abc'))
    await expect(store.blobs.open(digest, { start: 1, end: 3 })).rejects.toMatchObject({ code: 'request.invalid' })
    const empty = await put(store.blobs, Buffer.alloc(0))
    expect(await contentOf(store.blobs, empty)).toEqual(Buffer.alloc(0))
  })
})
