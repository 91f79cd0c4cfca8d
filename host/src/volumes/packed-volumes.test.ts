import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { problemSentence } from './problem-sentence.ts'
import { smallDisk } from './testing/small-disk.ts'
import { diskUse, fill, fileSystemSize, id, mib, never, openWorld, volume, type World } from './testing/kernel-world.ts'

const sentence = (error: unknown) => problemSentence(error)
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex')

/** With the kernel's own loop devices and file systems: needs root. */
describe('a volume as a stream', () => {
  let from: World
  let to: World
  beforeEach(async () => {
    from = await openWorld()
    to = await openWorld()
    await from.told(volume('v1'))
  })
  afterEach(async () => {
    await from.end()
    await to.end()
  })
  const making = (world: World) => readdirSync(join(world.folder, 'making'))
  const packed = async () => buffer(await from.volumes.read('v1', never))
  const written = (content: Buffer, volume: Partial<{ size: number; sha256: string }> = {}) =>
    to.volumes.write({ id: 'v2', size: 1, sha256: sha256(content), ...volume }, Readable.from([content]), never)

  test('is the same on another host, as sparse as it was, and has room for more', async () => {
    const source = await from.mount('c1', 'v1')
    await writeFile(join(source, 'note'), 'then')
    execFileSync('dd', ['if=/dev/urandom', `of=${join(source, 'big')}`, 'bs=1M', 'count=20'], { stdio: 'pipe' })
    const stream = await from.volumes.read('v1', never)
    // Writers go on while it is read.
    await writeFile(join(source, 'note'), 'now')
    const content = await buffer(stream)
    expect(content.length).toBeLessThan(30 * mib)
    await expect.poll(() => making(from)).toEqual([])

    await written(content, { size: 2 })
    expect(diskUse(to.file('volumes', 'v2'))).toBeLessThan(40 * mib)
    await to.told({ ...volume('v2'), size: 2, made: true })
    const copy = await to.mount('c2', 'v2')
    expect(await readFile(join(copy, 'note'), 'utf8')).toBe('then')
    expect((await readFile(join(copy, 'big'))).equals(await readFile(join(source, 'big')))).toBe(true)
    expect(fileSystemSize(copy)).toBeGreaterThan(1.8 * 1024 * mib)
    await expect(written(content)).rejects.toThrow('It is on the host already.')
  })

  test('is nothing at all unless all of it came and is what it was', async () => {
    const content = await packed()
    await expect(written(content, { sha256: sha256(Buffer.from('other')) })).rejects.toThrow(
      'The backup is damaged: its content has changed.',
    )
    await expect(written(content.subarray(0, content.length >> 1))).rejects.toThrow()
    const bent = Buffer.from(content)
    bent.fill(7, content.length >> 1, (content.length >> 1) + 100)
    await expect(written(bent, { sha256: sha256(content) })).rejects.toThrow()
    await expect(written(Buffer.from('no archive'))).rejects.toThrow()
    const broken = new Readable({ read: () => undefined }).on('error', () => undefined)
    broken.push(content.subarray(0, 1000))
    setImmediate(() => broken.destroy(new Error('the caller broke off')))
    const half = to.volumes.write({ id: 'v2', size: 1, sha256: sha256(content) }, broken, never)
    await expect(half).rejects.toThrow('the caller broke off')
    expect(existsSync(to.file('volumes', 'v2'))).toBe(false)
    expect(making(to)).toEqual([])
    await written(content)
    expect(existsSync(to.file('volumes', 'v2'))).toBe(true)
  })

  test('is read to its end, though tar needs not all of it', async () => {
    const archive = zstdDecompressSync(await packed())
    await written(zstdCompressSync(Buffer.concat([archive, Buffer.alloc(mib)])))
    expect(existsSync(to.file('volumes', 'v2'))).toBe(true)
  })

  test('does not fit into less than it has', async () => {
    await from.told({ ...volume('v3'), size: 2 })
    const content = await buffer(await from.volumes.read('v3', never))
    await expect(written(content)).rejects.toThrow('It holds more than 1 GiB.')
    expect(making(to)).toEqual([])
  })

  test('leaves nothing on its host when nobody reads on', async () => {
    const source = await from.mount('c1', 'v1')
    fill(join(source, 'big'), 50)
    const stream = await from.volumes.read('v1', never)
    stream.once('error', () => undefined)
    stream.destroy()
    await expect.poll(() => making(from)).toEqual([])
    const leave = new AbortController()
    const reading = await from.volumes.read('v1', leave.signal)
    leave.abort(new Error('the caller is gone'))
    await expect(buffer(reading)).rejects.toThrow()
    await expect.poll(() => making(from)).toEqual([])
    await from.volumes.release(id('c1'))
    await from.expectNothingMounted()
  })

  test('that a full disk cannot take is said, and leaves nothing; nor can one be copied there', async () => {
    const source = await from.mount('c1', 'v1')
    execFileSync('dd', ['if=/dev/urandom', `of=${join(source, 'big')}`, 'bs=1M', 'count=60'], { stdio: 'pipe' })
    const content = await packed()
    const disk = await smallDisk(100)
    const small = await openWorld(disk.folder)
    try {
      const writing = (id: string) =>
        small.volumes.write({ id, size: 1, sha256: sha256(content) }, Readable.from([content]), never)
      await writing('v2')
      await expect(writing('v3').catch(sentence)).resolves.toBe('The disk of the host is full.')
      await expect(small.volumes.read('v2', never).catch(sentence)).resolves.toBe('The disk of the host is full.')
      expect(existsSync(small.file('volumes', 'v3'))).toBe(false)
      expect(making(small)).toEqual([])
      execFileSync('e2fsck', ['-f', '-n', small.file('volumes', 'v2')], { stdio: 'pipe' })
    } finally {
      await small.end()
      disk.end()
    }
  })

  test('is refused where its data is missing', async () => {
    await expect(from.volumes.read('v9', never)).rejects.toThrow('Its data is missing on the host.')
  })
})
