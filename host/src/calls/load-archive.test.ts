import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { type Loaded, safeArchive } from './load-archive.ts'

const space = 'gantry-0123456789abcdef0123456789abcdef'
const sha = (content: Buffer) => createHash('sha256').update(content).digest('hex')

type Entry = readonly [name: string, content: Buffer | { readonly link: string } | { readonly type: 'fifo' | 'link' }]

async function archive(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const [name, content] of entries) {
    if (Buffer.isBuffer(content)) tar.entry({ name }, content)
    else if ('link' in content) tar.entry({ name, type: 'symlink', linkname: content.link })
    else tar.entry({ name, type: content.type, linkname: 'layer.tar' })
  }
  tar.finalize()
  return collected(tar as unknown as Readable)
}

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

async function safe(bytes: Buffer, chunk = 1000) {
  const chunks = function* () {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk)
  }
  let loaded: readonly Loaded[] = []
  const made = await collected(
    safeArchive(Readable.from(chunks()), space, (told) => {
      loaded = told
    }),
  )
  const files = new Map<string, Buffer>()
  const entries = extract()
  entries.end(made)
  for await (const entry of entries) {
    expect(entry.header.type).toBe('file')
    files.set(entry.header.name, await collected(entry as AsyncIterable<Buffer>))
  }
  const manifest = JSON.parse(String(files.get('manifest.json'))) as {
    Config: string
    RepoTags: string[]
    Layers: string[]
  }[]
  return { files, manifest, loaded }
}

const layer = Buffer.from('a layer'.repeat(200))
const configOf = (...layers: Buffer[]) =>
  Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: layers.map((each) => `sha256:${sha(each)}`) } }))
const manifestOf = (items: readonly object[]) => Buffer.from(JSON.stringify(items))
const config = configOf(layer)
const item = { Config: 'config.json', RepoTags: ['app:1'], Layers: ['layer.tar'] }

describe('an archive of images', () => {
  test('comes to the engine under names of ours, with every name below the space', async () => {
    const tags = ['app:1', 'docker.io/library/busybox:latest', 'Reg.example:5000/x/y:2']
    const { files, manifest, loaded } = await safe(
      await archive([
        ['repositories', Buffer.from('{"busybox":{"latest":"x"}}')],
        ['layer.tar', layer],
        ['config.json', config],
        ['index.json', Buffer.from('{}')],
        ['manifest.json', manifestOf([{ ...item, RepoTags: tags, Parent: 'sha256:ab', LayerSources: {} }])],
      ]),
    )
    const [only] = manifest
    expect(Object.keys(only ?? {})).toEqual(['Config', 'RepoTags', 'Layers'])
    expect(only?.RepoTags).toEqual([`${space}/app:1`, `${space}/busybox:latest`, `${space}/reg.example_5000/x/y:2`])
    expect(files.get(only?.Config ?? '')).toEqual(config)
    expect(files.get(only?.Layers[0] ?? '')).toEqual(layer)
    expect([...files.keys()].filter((name) => !/^files\/\d+$/.test(name))).toEqual(['manifest.json'])
    expect(loaded).toMatchObject([
      { imageId: `sha256:${sha(config)}`, names: ['app:1', 'busybox:latest', 'Reg.example:5000/x/y:2'] },
    ])
  })

  test('may be compressed, in the whole and in its layers', async () => {
    const entries: Entry[] = [
      ['layer.tar', gzipSync(layer)],
      ['config.json', config],
      ['manifest.json', manifestOf([item])],
    ]
    const { manifest } = await safe(gzipSync(await archive(entries)), 7)
    expect(manifest[0]?.RepoTags).toEqual([`${space}/app:1`])
  })

  test('may share a layer by a link, as engines write it', async () => {
    const { manifest, files } = await safe(
      await archive([
        ['a/layer.tar', layer],
        ['b/layer.tar', { link: '../a/layer.tar' }],
        ['config.json', configOf(layer, layer)],
        ['manifest.json', manifestOf([{ ...item, Layers: ['a/layer.tar', 'b/layer.tar'] }])],
      ]),
    )
    expect(manifest[0]?.Layers.map((name) => files.get(name))).toEqual([layer, layer])
  })

  test('an image without a name is kept where no name leads', async () => {
    const { manifest, loaded } = await safe(
      await archive([
        ['layer.tar', layer],
        ['config.json', config],
        ['manifest.json', manifestOf([{ ...item, RepoTags: null }])],
      ]),
    )
    expect(manifest[0]?.RepoTags).toEqual([`untagged/${space}/${sha(config).slice(0, 12)}:latest`])
    expect(loaded[0]?.names).toEqual([])
  })
})

describe('is refused', () => {
  const parts: Entry[] = [
    ['layer.tar', layer],
    ['config.json', config],
  ]
  const manifest = manifestOf([item])
  test.each<[string, readonly Entry[], RegExp]>([
    [
      'an archive with two manifests',
      [...parts, ['manifest.json', manifest], ['./manifest.json', manifest]],
      /is in it twice/,
    ],
    [
      'a manifest that is a link',
      [...parts, ['other.json', manifest], ['manifest.json', { link: 'other.json' }]],
      /no manifest/,
    ],
    ['a path that leads out', [...parts, ['../x', layer], ['manifest.json', manifest]], /leads out/],
    ['a pipe', [...parts, ['x', { type: 'fifo' }], ['manifest.json', manifest]], /is no file/],
    [
      'a layer that is missing',
      [
        ['config.json', config],
        ['manifest.json', manifest],
      ],
      /is not in it/,
    ],
    [
      'a layer that is another',
      [
        ['layer.tar', Buffer.from('no')],
        ['config.json', config],
        ['manifest.json', manifest],
      ],
      /not what its image says/,
    ],
    [
      'fewer layers than there are',
      [...parts, ['manifest.json', manifestOf([{ ...item, Layers: [] }])]],
      /do not agree/,
    ],
    [
      'a link to a link',
      [
        ...parts,
        ['a', { link: 'b' }],
        ['b', { link: 'layer.tar' }],
        ['manifest.json', manifestOf([{ ...item, Layers: ['a'] }])],
      ],
      /is not in it/,
    ],
    [
      'a name that no engine takes',
      [...parts, ['manifest.json', manifestOf([{ ...item, RepoTags: ['../x:1'] }])]],
      /not a valid image name/,
    ],
    [
      'a name of what builds keep',
      [...parts, ['manifest.json', manifestOf([{ ...item, RepoTags: ['gantry.build/steps:1'] }])]],
      /not a valid image name/,
    ],
    ['a manifest that is no list', [...parts, ['manifest.json', Buffer.from('{}')]], /no list/],
    [
      'a config that is no JSON',
      [
        ['layer.tar', layer],
        ['config.json', layer],
        ['manifest.json', manifest],
      ],
      /no JSON/,
    ],
    ['an empty archive', [], /no manifest/],
  ])('%s', async (_what, entries, message) => {
    await expect(safe(await archive(entries))).rejects.toThrow(message)
  })

  test('what is no tar, or breaks off', async () => {
    await expect(safe(Buffer.alloc(2048, 7))).rejects.toThrow(/cannot be loaded/)
    const whole = await archive([...parts, ['manifest.json', manifest]])
    await expect(safe(whole.subarray(0, 1200))).rejects.toThrow(/cannot be loaded/)
    await expect(safe(gzipSync(whole).subarray(0, 300))).rejects.toThrow()
  })
})
