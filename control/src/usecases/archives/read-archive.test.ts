import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readArchive } from './read-archive.ts'
import { aCatalogue, ann, digestOf } from './testing/a-catalogue.ts'
import { type Entry, inPieces, tarOf } from './testing/tars.ts'

const never = new AbortController().signal
const layer = await tarOf(['bin/sh', randomBytes(40_000)], ['etc/motd', 'hello'], ['bin/ash', { link: 'sh' }])
const small = await tarOf(['small', 'x'])
const configOf = (...layers: readonly Buffer[]) =>
  JSON.stringify({ os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map(digestOf) } })
const config = configOf(layer)
const item = { Config: 'config.json', RepoTags: ['app:1'], Layers: ['layer.tar'] }
const manifest: Entry = ['manifest.json', JSON.stringify([item])]
const parts: readonly Entry[] = [
  ['layer.tar', layer],
  ['config.json', config],
]

async function read(tar: Buffer, piece = 1000) {
  const world = aCatalogue()
  return { ...world, images: await readArchive(world.deps, ann, inPieces(tar, piece), never) }
}

describe('an archive of docker save', () => {
  test('becomes a manifest with its very configuration and layers, in whatever order they come', async () => {
    for (const entries of [
      [...parts, manifest],
      [manifest, ...parts],
    ]) {
      const { images, manifests, blobs, sizes } = await read(await tarOf(...entries))
      const [image] = images
      expect(images).toMatchObject([{ imageId: digestOf(config), names: ['app:1'] }])
      expect(image && manifests.get(image.digest)).toMatchObject({
        mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
        config,
        parts: [
          { digest: digestOf(config) },
          { digest: digestOf(layer), size: layer.length, mediaType: 'application/vnd.docker.image.rootfs.diff.tar' },
        ],
      })
      expect([...blobs.keys()].toSorted()).toEqual([digestOf(config), digestOf(layer)].toSorted())
      expect([...sizes]).toEqual([[digestOf(layer), 40_007]])
    }
  })

  test.each([
    ['gzip', gzipSync, 'application/vnd.docker.image.rootfs.diff.tar.gzip'],
    ['zstd', zstdCompressSync, 'application/vnd.oci.image.layer.v1.tar+zstd'],
  ] as const)('may be compressed with %s, in the whole and in its layers', async (_name, compressed, mediaType) => {
    const packed = compressed(layer)
    const tar = compressed(await tarOf(['layer.tar', packed], ['config.json', config], manifest))
    const { images, manifests, sizes } = await read(tar, 101)
    expect(images[0]?.imageId).toBe(digestOf(config))
    const [, part] = manifests.get(images[0]?.digest ?? digestOf(''))?.parts ?? []
    expect(part).toMatchObject({ digest: digestOf(packed), size: packed.length, mediaType })
    expect([...sizes]).toEqual([[digestOf(layer), 40_007]])
  })

  test('may share layers, by links too, and hold what nobody needs', async () => {
    const both = configOf(layer, small, layer)
    const { images, manifests, blobs } = await read(
      await tarOf(
        ['a/layer.tar', layer],
        ['b/layer.tar', { link: '../a/layer.tar' }],
        ['VERSION', '1.0'],
        ['json', '{}'],
        ['s.tar', small],
        ['config.json', both],
        [
          'manifest.json',
          JSON.stringify([
            { ...item, RepoTags: null, Layers: ['a/layer.tar', 's.tar', 'b/layer.tar'] },
            { ...item, RepoTags: ['x:2', 'docker.io/library/y:3'], Layers: ['a/layer.tar', 's.tar', 'a/layer.tar'] },
          ]),
        ],
      ),
    )
    expect(images.map(({ names }) => names)).toEqual([[], ['x:2', 'y:3']])
    expect(new Set(images.map(({ digest }) => digest)).size).toBe(1)
    expect([...manifests.values()][0]?.parts.map(({ digest }) => digest)).toEqual(
      [Buffer.from(both), layer, small, layer].map(digestOf),
    )
    expect(blobs.size).toBe(3)
  })
})

describe('an OCI layout', () => {
  const blob = (content: Buffer | string): Entry => [`blobs/sha256/${digestOf(content).slice(7)}`, content]
  const described = (mediaType: string, content: Buffer | string, more: object = {}) => ({
    mediaType: `application/vnd.oci.image.${mediaType}`,
    digest: digestOf(content),
    size: content.length,
    ...more,
  })
  const packed = gzipSync(layer)
  const imageOf = (config: string, layers: readonly object[]) =>
    JSON.stringify({ schemaVersion: 2, config: described('config.v1+json', config), layers })
  const image = imageOf(config, [described('layer.v1.tar+gzip', packed)])
  const index = (...manifests: readonly object[]) => JSON.stringify({ schemaVersion: 2, manifests })
  const layout: Entry = ['oci-layout', '{"imageLayoutVersion":"1.0.0"}']

  test('keeps its manifests byte for byte, and the names that builders give', async () => {
    const names = { annotations: { 'io.containerd.image.name': 'docker.io/library/app:1' } }
    const tag = { annotations: { 'org.opencontainers.image.ref.name': 'latest' } }
    const top = index(described('manifest.v1+json', image, names), described('manifest.v1+json', image, tag))
    const tar = await tarOf(layout, ['index.json', top], blob(image), blob(config), blob(packed))
    const { images, sizes } = await read(tar)
    expect(images).toEqual([{ digest: digestOf(image), imageId: digestOf(config), names: ['app:1'] }])
    expect(sizes.get(digestOf(layer))).toBe(40_007)
  })

  test('of several platforms may hold some', async () => {
    const arm = described('manifest.v1+json', 'elsewhere', { platform: { os: 'linux', architecture: 'arm64' } })
    const amd = described('manifest.v1+json', image, { platform: { os: 'linux', architecture: 'amd64' } })
    const several = index(amd, arm)
    const ref = { annotations: { 'org.opencontainers.image.ref.name': 'reg.example:5000/a/b:2' } }
    const top = index(described('index.v1+json', several, ref))
    const tar = await tarOf(layout, ['index.json', top], blob(several), blob(image), blob(config), blob(packed))
    const { images } = await read(tar)
    expect(images).toEqual([
      { digest: digestOf(several), imageId: digestOf(config), names: ['reg.example:5000/a/b:2'] },
    ])
  })

  test.each<[string, readonly Entry[], RegExp]>([
    ['a blob that is another', [blob(image), blob(config), [blob(packed)[0], 'other']], /is not in it/],
    ['no manifest', [blob(config), blob(packed)], /is not in it/],
    [
      'a layer of another image',
      [blob(imageOf(configOf(small), [described('layer.v1.tar+gzip', packed)])), blob(configOf(small)), blob(packed)],
      /not what its image says/,
    ],
  ])('is refused with %s', async (_what, blobs, message) => {
    const first = blobs[0]?.[1]
    const content = Buffer.isBuffer(first) || first === config || typeof first !== 'string' ? image : first
    const tar = await tarOf(layout, ['index.json', index(described('manifest.v1+json', content))], ...blobs)
    await expect(read(tar)).rejects.toThrow(message)
  })
})

describe('is refused', () => {
  test.each<[string, readonly Entry[], RegExp]>([
    ['an archive with two manifests', [...parts, manifest, ['./manifest.json', manifest[1]]], /is in it twice/],
    ['a manifest behind dots', [...parts, manifest, ['a/../manifest.json', manifest[1]]], /is in it twice/],
    [
      'another name in an extended header',
      [...parts, manifest, ['x', manifest[1], { path: 'manifest.json' }]],
      /is in it twice/,
    ],
    [
      'a manifest that is a link',
      [...parts, ['other.json', manifest[1]], ['manifest.json', { link: 'other.json' }]],
      /no manifest/,
    ],
    ['a path that leads out', [...parts, ['../x', layer], manifest], /leads out/],
    ['a pipe', [...parts, ['x', { type: 'fifo' }], manifest], /is no file/],
    ['a layer that is missing', [['config.json', config], manifest], /is not in it/],
    ['a layer that is another', [['layer.tar', small], ['config.json', config], manifest], /not what its image says/],
    [
      'a layer that is no tar',
      [['layer.tar', 'no tar'.repeat(900)], ['config.json', configOf(Buffer.from('no tar'.repeat(900)))], manifest],
      /is no layer/,
    ],
    [
      'a layer that breaks off',
      [['layer.tar', gzipSync(layer).subarray(0, 20_000)], ['config.json', config], manifest],
      /is no layer/,
    ],
    ['fewer layers than there are', [...parts, ['manifest.json', JSON.stringify([{ ...item, Layers: [] }])]], /agree/],
    [
      'a link to a link',
      [
        ...parts,
        ['a', { link: 'b' }],
        ['b', { link: 'layer.tar' }],
        ['manifest.json', JSON.stringify([{ ...item, Layers: ['a'] }])],
      ],
      /is not in it/,
    ],
    [
      'a name that no engine takes',
      [...parts, ['manifest.json', JSON.stringify([{ ...item, RepoTags: ['../x:1'] }])]],
      /not a valid image name/,
    ],
    ['a manifest that is no list', [...parts, ['manifest.json', '{}']], /no list/],
    ['a config that is no JSON', [['layer.tar', layer], ['config.json', layer], manifest], /no JSON/],
    ['an empty archive', [], /no manifest/],
  ])('%s', async (_what, entries, message) => {
    await expect(read(await tarOf(...entries))).rejects.toThrow(message)
    await expect(read(await tarOf(...entries))).rejects.toMatchObject({ code: 'request.invalid' })
  })

  test('what is no tar, breaks off, or is compressed as nobody reads it', async () => {
    const whole = await tarOf(...parts, manifest)
    const bad: readonly Buffer[] = [
      Buffer.alloc(2048, 7),
      Buffer.from('short'),
      whole.subarray(0, 1200),
      gzipSync(whole).subarray(0, 300),
      Buffer.from('BZh91AY&SY'),
      Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
    ]
    for (const each of bad) {
      await expect(read(each)).rejects.toMatchObject({
        code: 'request.invalid',
        message: expect.stringContaining('cannot be loaded'),
      })
    }
  })

  test('goes on until the sender breaks off, or the caller', async () => {
    const whole = await tarOf(...parts, manifest)
    const broken = Readable.from(
      (async function* () {
        yield whole.subarray(0, 20_000)
        throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
      })(),
      { objectMode: false },
    )
    await expect(readArchive(aCatalogue().deps, ann, broken, never)).rejects.toMatchObject({ code: 'ECONNRESET' })
    const stop = new AbortController()
    const endless = new Readable({ read: () => undefined })
    endless.push(whole.subarray(0, 20_000))
    const reading = expect(readArchive(aCatalogue().deps, ann, endless, stop.signal)).rejects.toMatchObject({
      name: 'AbortError',
    })
    setTimeout(() => stop.abort(), 20)
    await reading
  })
})
