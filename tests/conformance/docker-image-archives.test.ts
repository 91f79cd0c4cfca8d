import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { archiveOf, type ArchiveEntry, imageParts, sha256 } from '../fixtures/image-archive.ts'
import { imageCommands } from './image-commands.ts'

/** Images as archives: out and in again, and what hostile ones try. */
let gantry: Gantry
let demo: Session
let other: Session
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-archives-'))
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
  other = await gantry.newTenant('other')
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const { ok, ask, names, engineNames, idOf } = imageCommands(() => ({ gantry, demo }))

describe('archives', () => {
  test('what is saved can be loaded, by another tenant too, and tells no name of the engine', async () => {
    const file = join(folder, 'saved.tar')
    await ok(['run', '--name', 'four', 'busybox', 'sh', '-c', 'echo kept > /four'])
    await ok(['commit', 'four', 'saved:1'])
    await ok(['tag', 'saved:1', 'saved:2'])
    await ok(['save', '-o', file, 'saved:1', 'saved:2', 'busybox'])
    expect((await readFile(file)).includes('gantry-')).toBe(false)
    expect(await ok(['load', '-i', file], other)).toContain('Loaded image: saved:2')
    expect(await ok(['run', '--rm', 'saved:1', 'cat', '/four'], other)).toBe('kept')
    await ok(['rmi', 'saved:1', 'saved:2'], other)
    expect(await ok(['run', '--rm', 'saved:1', 'cat', '/four'])).toBe('kept')
    await ok(['rm', 'four'])
  })

  test('a file system is imported', async () => {
    const file = join(folder, 'exported.tar')
    await ok(['create', '--name', 'five', 'busybox'])
    await ok(['export', '-o', file, 'five'])
    expect(await ok(['import', '-c', 'CMD ["echo","imported"]', '-m', 'by hand', file, 'imported:1'])).toMatch(
      /^sha256:/,
    )
    expect(await ok(['run', '--rm', 'imported:1'])).toBe('imported')
    await ok(['rm', 'five'])
  })
})

describe('hostile archives', () => {
  const load = async (entries: readonly ArchiveEntry[], session = other) =>
    ask('POST', '/images/load?quiet=1', { session, body: await archiveOf(entries) })

  test('a public name in one is a name of the project’s own', async () => {
    const before = await gantry.engine.docker('images', '-q', '--no-trunc', 'busybox:latest')
    const { config, layer, manifest } = imageParts(['busybox:latest', 'docker.io/library/alpine:3'], {
      command: ['echo', 'evil'],
    })
    expect(await load([config, layer, manifest])).toMatchObject({
      status: 200,
      text: expect.stringContaining('alpine:3'),
    })
    expect(await gantry.engine.docker('images', '-q', '--no-trunc', 'busybox:latest')).toBe(before)
    expect(await engineNames()).not.toContain('alpine:3')
    expect(await ok(['run', '--rm', 'busybox'], other)).toBe('evil')
    expect(await ok(['run', '--rm', 'busybox', 'echo', 'good'])).toBe('good')
    expect(await names()).not.toContain('alpine:3')
    await ok(['rmi', 'busybox:latest', 'alpine:3'], other)
    expect(await ok(['run', '--rm', 'busybox', 'echo', 'good'], other)).toBe('good')
  })

  const evil = imageParts(['busybox:latest'], { command: ['echo', 'evil'] })
  const good = imageParts(['fine:1'], { command: ['echo', 'fine'] })
  test.each<[string, readonly ArchiveEntry[]]>([
    ['two manifests', [good.config, good.layer, good.manifest, { ...evil.manifest, name: './manifest.json' }]],
    [
      'a manifest behind dots',
      [good.config, good.layer, good.manifest, { ...evil.manifest, name: 'a/../manifest.json' }],
    ],
    [
      'a manifest that is a link',
      [good.config, good.layer, good.manifest, { name: 'manifest.json', link: 'evil.json' }],
    ],
    [
      'a path that leads out',
      [good.config, good.layer, { name: '../../etc/passwd', content: Buffer.from('x') }, good.manifest],
    ],
    [
      'another name in an extended header',
      [good.config, good.layer, good.manifest, { ...evil.manifest, name: 'x', pax: { path: 'manifest.json' } }],
    ],
    ['a config that is a link out', [{ name: 'config.json', link: '/etc/passwd' }, good.layer, good.manifest]],
    [
      'no manifest',
      [good.config, good.layer, { name: 'repositories', content: Buffer.from('{"busybox":{"latest":"x"}}') }],
    ],
    ['a layer that is another’s', [good.config, { ...good.layer, content: Buffer.from('not it') }, good.manifest]],
    ['a layer that is not in it', [good.config, good.manifest]],
    ['no tar at all', []],
  ])('%s', async (_what, entries) => {
    const before = await gantry.engine.docker('images', '-aq', '--no-trunc')
    const answer = await load(entries)
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('cannot be loaded') })
    expect(await gantry.engine.docker('images', '-aq', '--no-trunc')).toBe(before)
  })

  test('a name that is kept for projects by engines is refused', async () => {
    await ok(['run', '--name', 'six', 'busybox', 'touch', '/six'])
    const secret = await ok(['commit', 'six', 'sixth:1'])
    const space = `gantry-${demo.projectId.replaceAll('-', '')}/sixth:1`
    const { config, layer, manifest } = imageParts([space])
    expect(await load([config, layer, manifest])).toMatchObject({ status: 400 })
    expect(await idOf('sixth:1')).toBe(secret)
    await ok(['rm', 'six'])
  })

  test('whoever names a layer of another’s must have it', async () => {
    const secret = Buffer.concat([imageParts([]).layer.content.subarray(0, -1024), Buffer.alloc(2048)])
    const theirs = imageParts(['theirs:1'], { layer: secret })
    expect(await load([theirs.config, theirs.layer, theirs.manifest], demo)).toMatchObject({ status: 200 })
    const stolen = await load([theirs.config, { name: 'layer.tar', content: Buffer.from('') }, theirs.manifest])
    expect(stolen).toMatchObject({ status: 400, text: expect.stringContaining('is not what its image says it is') })
    expect(sha256(secret)).toMatch(/^[0-9a-f]{64}$/)
    expect(await names(other)).not.toContain('theirs:1')
  })
})
