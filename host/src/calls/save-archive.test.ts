import type { Readable } from 'node:stream'
import { extract, pack } from 'tar-stream'
import { expect, test } from 'vitest'
import { renamedArchive } from './save-archive.ts'

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

test('an archive tells the names that are asked for, and no other; its layers and links stay', async () => {
  const tar = pack()
  const manifest = [
    { Config: 'a.json', RepoTags: ['gantry-x/app:1', 'gantry-y/theirs:1', 'busybox:latest'], Layers: ['aa/layer.tar'] },
    { Config: 'b.json', RepoTags: ['gantry-y/only:1'], Layers: ['bb/layer.tar'] },
  ]
  tar.entry({ name: 'aa/', type: 'directory' })
  tar.entry({ name: 'aa/layer.tar' }, Buffer.alloc(1500, 1))
  tar.entry({ name: 'bb/layer.tar', type: 'symlink', linkname: '../aa/layer.tar' })
  tar.entry({ name: 'index.json' }, '{"names":"gantry-y/theirs"}')
  tar.entry({ name: 'repositories' }, '{"gantry-y/theirs":{}}')
  tar.entry({ name: 'manifest.json' }, JSON.stringify(manifest))
  tar.finalize()
  const names = new Map([['gantry-x/app:1', ['app:1', 'again:2']]])
  const made = await collected(renamedArchive(tar as unknown as Readable, names))
  expect(made.includes('gantry-')).toBe(false)
  const found = new Map<string, string>()
  const entries = extract()
  entries.end(made)
  for await (const entry of entries) {
    const content = await collected(entry as AsyncIterable<Buffer>)
    found.set(entry.header.name, entry.header.linkname ?? content.toString('latin1'))
  }
  expect([...found.keys()]).toEqual(['aa/layer.tar', 'bb/layer.tar', 'manifest.json', 'repositories'])
  expect(found.get('bb/layer.tar')).toBe('../aa/layer.tar')
  expect(JSON.parse(found.get('manifest.json') ?? '')).toMatchObject([
    { Config: 'a.json', RepoTags: ['app:1', 'again:2'] },
    { Config: 'b.json', RepoTags: null },
  ])
  expect(JSON.parse(found.get('repositories') ?? '')).toEqual({ app: { 1: 'aa' }, again: { 2: 'aa' } })
})
