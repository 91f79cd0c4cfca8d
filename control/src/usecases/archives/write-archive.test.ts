import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readArchive } from './read-archive.ts'
import { aCatalogue, ann, digestOf } from './testing/a-catalogue.ts'
import { filesOf, inPieces, tarOf } from './testing/tars.ts'
import { writeArchive } from './write-archive.ts'

const never = new AbortController().signal
const base = await tarOf(['bin/sh', 'x'.repeat(3000)])
const top = await tarOf(['app', 'y'])

test('images go out as they came in, with each layer once and the names that are asked for', async () => {
  const { deps, manifests } = aCatalogue()
  const packed = gzipSync(top)
  const configs = [[base], [base, top]].map((layers) =>
    JSON.stringify({ os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map(digestOf) } }),
  )
  const [small = '', large = ''] = configs
  const tar = await tarOf(
    ['base', base],
    ['top', packed],
    ['small.json', small],
    ['large.json', large],
    [
      'manifest.json',
      JSON.stringify([
        { Config: 'small.json', RepoTags: ['hidden:1'], Layers: ['base'] },
        { Config: 'large.json', RepoTags: ['app:1'], Layers: ['base', 'top'] },
      ]),
    ],
  )
  const images = await readArchive(deps, ann, inPieces(tar), never)
  const chosen = [[], ['app:1', 'reg.example:5000/again:2']].map((names, at) => {
    const manifest = manifests.get(images[at]?.digest ?? digestOf(''))
    if (!manifest) throw new Error('not read')
    return { manifest, names }
  })
  const written = writeArchive(deps.catalogue, chosen)
  const made = await buffer(written.body)
  expect(made.length).toBe(written.size)
  expect((await buffer(writeArchive(deps.catalogue, chosen).body)).equals(made)).toBe(true)
  expect(made.includes('hidden')).toBe(false)

  const hex = (content: Buffer | string) => digestOf(content).slice(7)
  const files = await filesOf(made)
  expect([...files.keys()]).toEqual([
    `${hex(base)}/layer.tar`,
    `${hex(packed)}/layer.tar`,
    `${hex(small)}.json`,
    `${hex(large)}.json`,
    'manifest.json',
    'repositories',
  ])
  expect(JSON.parse(String(files.get('manifest.json')))).toMatchObject([
    { RepoTags: null },
    { RepoTags: ['app:1', 'reg.example:5000/again:2'] },
  ])
  expect(JSON.parse(String(files.get('repositories')))).toEqual({
    app: { 1: hex(packed) },
    'reg.example:5000/again': { 2: hex(packed) },
  })
  const again = aCatalogue()
  const read = await readArchive(again.deps, ann, inPieces(made), never)
  expect(read.map(({ digest, imageId }) => ({ digest, imageId }))).toEqual(
    images.map(({ digest, imageId }) => ({ digest, imageId })),
  )
})
