import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { createUpstream } from '@gantry/providers-upstream'
import type { Digest } from '@gantry/model'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerAlone, startServerAlone } from '../fixtures/server-alone.ts'

/** `gantry image` on a real server; what it lists was pushed by our own client of registries. */
const run = promisify(execFile)
const main = new URL('../../apps/cli/src/main.ts', import.meta.url).pathname
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const upstream = createUpstream({ mayConnect: () => true, log })
const signal = new AbortController().signal

let server: ServerAlone
let folder = ''
beforeAll(async () => {
  server = await startServerAlone()
  folder = await mkdtemp('/tmp/gantry-image-cli-')
  await push('team/app', '1')
})
afterAll(async () => {
  await upstream.close()
  await server?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function gantry(args: readonly string[], user: 'demo' | 'admin' = 'demo'): Promise<Said> {
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', ...(await server.env(user)) }
  const { promise, resolve } = Promise.withResolvers<Said>()
  run(process.execPath, [main, ...args], { env }).then(
    ({ stdout, stderr }) => resolve({ code: 0, stdout, stderr }),
    (error: Said) => resolve({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  )
  return promise
}

async function ok(args: readonly string[], user: 'demo' | 'admin' = 'demo'): Promise<string> {
  const said = await gantry(args, user)
  expect(said, `${args.join(' ')}\n${said.stderr}`).toMatchObject({ code: 0 })
  return said.stdout.trim()
}

function digestOf(content: Buffer): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
}

async function push(path: string, tag: string): Promise<void> {
  const env = await server.env('demo')
  const login = { username: env['OS_USERNAME'] ?? '', password: env['OS_PASSWORD'] ?? '' }
  const at = { domain: new URL(server.api).host, path: `demo/${path}` }
  await writeFile(join(folder, 'app'), randomBytes(3 << 20))
  await run('tar', ['-cf', join(folder, 'layer.tar'), '-C', folder, 'app'])
  const layer = await readFile(join(folder, 'layer.tar'))
  const history = [{ created_by: 'COPY app /' }]
  const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs, history }))
  for (const blob of [layer, config]) {
    const open = async () => Readable.from([blob])
    await upstream.putBlob(at, { digest: digestOf(blob), size: blob.length, open }, login, signal)
  }
  const descriptor = (type: string, blob: Buffer) => ({
    mediaType: `application/vnd.oci.image.${type}`,
    digest: digestOf(blob),
    size: blob.length,
  })
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const content = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: descriptor('config.v1+json', config),
      layers: [descriptor('layer.v1.tar', layer)],
    }),
  )
  await upstream.putManifest(at, tag, { mediaType, digest: digestOf(content), content }, login, signal)
}

test('what was pushed is listed and shown with its layers', async () => {
  expect(await ok(['image'])).toMatch(/ team\/app:1 +active +3\.0 MiB +.* private /)
  const shown = await ok(['image', 'show', 'team/app:1'])
  expect(shown).toMatch(/^kind +image$/m)
  expect(shown).toMatch(/^platforms +linux\/amd64$/m)
  expect(shown).toMatch(/^used by +no container$/m)
  expect(shown).toMatch(/^signatures +none$/m)
  expect(shown).toMatch(/^sha256:[0-9a-f]{12} +3\.0 MiB +COPY app \/$/m)
})

test('a further name, an archive and back, and what the quota says', async () => {
  expect(await ok(['image', 'tag', 'team/app:1', 'team/app:stable'])).toBe('team/app:stable')
  const used = async () => JSON.parse(await ok(['quota', '--json'])).used.imageBytes as number
  const before = await used()
  expect(before).toBeGreaterThan(3 << 20)
  const file = join(folder, 'app.tar')
  await ok(['image', 'save', 'team/app:1', file])
  expect(await ok(['image', 'load', file, '--name', 'back:1'])).toBe('back:1')
  const back = JSON.parse(await ok(['image', 'show', 'back:1', '--json']))
  const app = JSON.parse(await ok(['image', 'show', 'team/app:1', '--json']))
  expect(back.imageId).toBe(app.imageId)
  await ok(['image', 'delete', 'back:1', 'team/app:stable'])
  expect(await ok(['image', 'list'])).not.toMatch(/back|stable/)
})

test('an image is shared with a project by its name, taken, and given back', async () => {
  expect((await gantry(['image', 'show', 'demo/team/app:1'], 'admin')).stderr).toContain('could not be found')
  await ok(['image', 'share', 'team/app:1', '--with', 'admin'])
  expect(await ok(['image', 'members', 'team/app:1'])).toMatch(/pending$/)
  expect(await ok(['image', 'list', '--only', 'shared'], 'admin')).not.toContain('team/app')
  await ok(['image', 'accept', 'demo/team/app:1'], 'admin')
  expect(await ok(['image', 'list', '--only', 'shared'], 'admin')).toContain('team/app:1')
  await ok(['image', 'unshare', 'team/app:1', '--with', 'admin'])
  expect(await ok(['image', 'list', '--only', 'shared'], 'admin')).not.toContain('team/app')
  expect((await gantry(['image', 'share', 'team/app:1', '--with', 'nobody'])).stderr).toContain('nobody')
})

test('only administrators publish, sweep and verify', async () => {
  for (const args of [['publish', 'team/app:1'], ['sweep'], ['verify']]) {
    expect(await gantry(['image', ...args]), args.join(' ')).toMatchObject({ code: 1, stdout: '' })
  }
  expect(await ok(['image', 'sweep'], 'admin')).toMatch(/^Freed /)
  expect(await ok(['image', 'verify'], 'admin')).toMatch(/^Checked \d+ blobs\.$/)
})

test('a policy of signatures is kept, shown and cleared', async () => {
  const key = join(folder, 'cosign.pub')
  await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', join(folder, 'key.pem')])
  await run('openssl', ['ec', '-in', join(folder, 'key.pem'), '-pubout', '-out', key])
  expect(await ok(['image', 'policy', 'set', '--key', key])).toMatch(/^KEY\nsha256:[0-9a-f]{64}$/)
  expect(await ok(['image', 'policy', 'show'])).toMatch(/^KEY\nsha256:/)
  await ok(['image', 'policy', 'clear'])
  expect(await ok(['image', 'policy', 'show'])).toBe('KEY')
})
