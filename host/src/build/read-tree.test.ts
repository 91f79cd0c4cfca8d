import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isArchive } from './archive-kind.ts'
import { KeptContexts } from './kept-contexts.ts'
import { readTree } from './read-tree.ts'

let folder: string
const never = new AbortController().signal
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-tree-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function tarOf(entries: readonly (Partial<Header> & { name: string; text?: string })[]): Promise<Buffer> {
  const tar = pack()
  for (const { text = '', ...header } of entries) tar.entry(header, text)
  tar.finalize()
  return buffer(Readable.from(tar))
}
const read = (bytes: Buffer, more = {}) => readTree(Readable.from([bytes]), join(folder, 'spool'), never, more)

describe('readTree', () => {
  test('keeps names in memory and contents in one file', async () => {
    const bytes = await tarOf([
      { name: './a/b', text: 'hello', mode: 0o4755, uid: 7 },
      { name: 'c', text: 'world' },
      { name: 'd', type: 'symlink', linkname: 'a/b' },
      { name: 'e', type: 'link', linkname: './a/b' },
      { name: 'f', type: 'character-device' },
    ])
    const tree = await read(bytes)
    expect(tree.paths()).toEqual(['', 'a', 'a/b', 'c', 'd', 'e'])
    expect(tree.get('a/b')).toMatchObject({ mode: 0o4755, uid: 7, size: 5 })
    const entry = tree.get(tree.resolve('d') ?? '')
    expect(entry && (await buffer(tree.read(entry))).toString()).toBe('hello')
    expect(tree.get('e')).toEqual(entry)
    expect(tree.hash(['c'])).not.toBe(tree.hash(['a/b']))
  })

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('undoes %s', async (_name, compress) => {
    expect((await read(compress(await tarOf([{ name: 'a', text: 'x' }])))).paths()).toEqual(['', 'a'])
  })

  test.each([
    ['no tar', Buffer.alloc(2000, 'x')],
    ['half a tar', gzipSync(Buffer.alloc(2000)).subarray(0, 15)],
    ['bzip2', Buffer.from('BZh91AY')],
  ])('refuses %s', async (_name, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ name: 'BuildError' })
  })

  test('has bounds', async () => {
    const bytes = await tarOf([
      { name: 'a', text: 'xxxx' },
      { name: 'b', text: 'xxxx' },
    ])
    await expect(read(bytes, { limits: { bytes: 7, entries: 10 } })).rejects.toThrow(/larger than 7/)
    await rm(join(folder, 'spool'))
    await expect(read(bytes, { limits: { bytes: 70, entries: 1 } })).rejects.toThrow(/more than 1 files/)
  })

  test('names outside are refused', async () => {
    await expect(read(await tarOf([{ name: '../x', text: 'x' }]))).rejects.toThrow(/outside/)
  })

  test('knows what ADD unpacks', async () => {
    const inner = await tarOf([{ name: 'a', text: 'x' }])
    const tar = pack()
    tar.entry({ name: 'plain' }, inner)
    tar.entry({ name: 'packed' }, gzipSync(inner))
    tar.entry({ name: 'other' }, gzipSync('no tar, only text that is long enough'))
    tar.entry({ name: 'zeros' }, Buffer.alloc(2048))
    tar.finalize()
    const tree = await read(await buffer(Readable.from(tar)))
    const answers = await Promise.all(
      ['plain', 'packed', 'other', 'zeros'].map(async (name) => {
        const entry = tree.get(name)
        return entry && isArchive(tree, entry)
      }),
    )
    expect(answers).toEqual([true, true, false, false])
  })
})

test('a context is handed over once and leaves nothing', async () => {
  let count = 0
  const ids = { uuid: () => '', hex: () => String((count += 1)) }
  const contexts = new KeptContexts(join(folder, 'builds'), ids)
  const tar = async () => Readable.from([await tarOf([{ name: 'a', text: 'x' }])])
  const id = await contexts.add(await tar(), never, () => Promise.resolve())
  const refused = contexts.add(await tar(), never, () => Promise.reject(new Error('no')))
  await expect(refused).rejects.toThrow('no')
  expect(await readdir(join(folder, 'builds'))).toEqual([id])
  const context = contexts.take(id)
  expect(contexts.take(id)).toBeNull()
  await context?.[Symbol.asyncDispose]()
  await contexts.add(await tar(), never, () => Promise.resolve())
  await contexts.close()
  expect(await readdir(join(folder, 'builds'))).toEqual([])
})
