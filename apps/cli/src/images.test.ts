import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ServedCloud, serveFakeCloud } from '@gantry/facade-native/testing'
import type { ProjectId } from '@gantry/model'
import { expect, onTestFinished, test } from 'vitest'
import { fingerprintOf } from './commands/image-policy.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const demo = 'project-demo' as ProjectId

async function gantry(cloud: ServedCloud, line: string, { stdin = '', user = 'demo', cwd = '/' } = {}) {
  const login = { OS_AUTH_URL: `http://127.0.0.1:${cloud.port}/identity/v3`, OS_TOKEN: `${user}-token` }
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', ...login }
  const child = spawn(process.execPath, [main, ...line.split(' ')], { env, cwd })
  child.stdin.end(stdin)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number | null, stdout, stderr }
}

async function said(cloud: ServedCloud, line: string, options = {}): Promise<string> {
  const { code, stdout, stderr } = await gantry(cloud, line, options)
  expect({ code, stderr }, line).toEqual({ code: 0, stderr: '' })
  return stdout.trim()
}

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-cli-images-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

test('images are listed, searched, tagged, shown and deleted', async () => {
  await using cloud = await serveFakeCloud()
  const { id } = cloud.images.add(demo, 'team/app:1', { bytes: 2048 })
  for (const line of ['image', 'images', 'image list', 'image search app', 'image list --only own']) {
    expect(await said(cloud, line)).toMatch(
      /^ID +NAME +STATUS +IN STORE +CREATED +READERS +PROJECT\n.* team\/app:1 +active +2 KiB +.* ago +private +project-demo$/,
    )
  }
  expect(await said(cloud, 'image tag team/app:1 team/app:stable')).toBe('team/app:stable')
  expect(JSON.parse(await said(cloud, 'image list --json'))).toHaveLength(2)
  const shown = await said(cloud, 'image show team/app:1')
  expect(shown).toMatch(/^id +[0-9a-f-]{36}\nname +team\/app:1\n/)
  expect(shown).toMatch(/\nused by +web\n/)
  expect(JSON.parse(await said(cloud, `image show ${id} --json`))).toMatchObject({
    name: 'team/app:1',
    provenance: { usedBy: ['web'] },
  })
  expect(await said(cloud, 'image delete team/app:1')).toBe('team/app:1')
  const gone = await gantry(cloud, 'image show team/app:1')
  expect(gone).toMatchObject({ code: 1, stdout: '' })
  expect(gone.stderr).toContain('`gantry image list`')
})

test('an image is saved to a file and loaded from one, or through pipes', async () => {
  await using cloud = await serveFakeCloud()
  const cwd = await aFolder()
  await writeFile(join(cwd, 'in.tar'), 'as good as a tar')
  expect(await said(cloud, 'image load in.tar --name app:1', { cwd })).toBe('app:1')
  expect(await said(cloud, 'image load - --name app:2', { stdin: 'another' })).toBe('app:2')
  expect(await said(cloud, 'image save app:1 out.tar', { cwd })).toBe('out.tar')
  expect(await readFile(join(cwd, 'out.tar'), 'utf8')).toBe('as good as a tar')
  expect(await said(cloud, 'image save app:2 -')).toBe('another')
  const layers = await said(cloud, 'image show app:1')
  expect(layers).toMatch(/\nLAYER +SIZE +MADE BY\nsha256:[0-9a-f]{12} +1000 B +COPY \. \/$/)
  expect(layers).toContain('1, 1 by a key of the project')
  expect(await gantry(cloud, 'image save none no.tar', { cwd })).toMatchObject({ code: 1, stdout: '' })
  expect(await gantry(cloud, 'image load no.tar', { cwd })).toMatchObject({ code: 1, stdout: '' })
  expect(await gantry(cloud, 'image load -', { stdin: '' })).toMatchObject({ code: 1, stdout: '' })
  expect((await readdir(cwd)).sort()).toEqual(['in.tar', 'out.tar'])
})

test('an image is shared, taken, given back and published', async () => {
  await using cloud = await serveFakeCloud()
  const { id } = cloud.images.add(demo, 'app:1')
  expect(await said(cloud, 'image share app:1 --with partner --with friend')).toBe('partner\nfriend')
  expect(await said(cloud, 'image members app:1')).toMatch(/^PROJECT +ANSWER\npartner +pending\nfriend +pending$/)
  expect(await said(cloud, 'image unshare app:1 --with partner')).toBe('app:1')
  expect(JSON.parse(await said(cloud, 'image members app:1 --json'))).toMatchObject([{ projectId: 'friend' }])
  await said(cloud, 'image unshare app:1')
  expect((await gantry(cloud, 'image publish app:1')).stderr).toContain('for administrators')
  expect(await said(cloud, `image publish ${id}`, { user: 'admin' })).toBe(id)
  expect(await said(cloud, 'image list', { user: 'other' })).toContain('public')
  await said(cloud, `image unpublish ${id}`, { user: 'admin' })
  expect(await said(cloud, 'image list', { user: 'other' })).not.toContain('public')
})

test('keys that images must be signed by are set, shown and cleared', async () => {
  await using cloud = await serveFakeCloud()
  const cwd = await aFolder()
  const key = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'
  await writeFile(join(cwd, 'cosign.pub'), key)
  const set = await said(cloud, 'image policy set --key cosign.pub', { cwd })
  expect(set).toBe(`KEY\n${fingerprintOf(key)}`)
  expect(await said(cloud, 'image policy show')).toBe(set)
  expect(JSON.parse(await said(cloud, 'image policy show --json'))).toMatchObject([{ key }])
  await said(cloud, 'image policy clear')
  expect(await said(cloud, 'image policy show')).toBe('KEY')
  expect(await gantry(cloud, 'image policy set --key none.pub', { cwd })).toMatchObject({ code: 1 })
})

test('administrators sweep and verify the store', async () => {
  await using cloud = await serveFakeCloud()
  expect(await said(cloud, 'image sweep', { user: 'admin' })).toBe('Freed 2.9 MiB: 2 blobs, 1 manifests.')
  expect(await said(cloud, 'image verify', { user: 'admin' })).toBe('Checked 7 blobs.')
  expect(await gantry(cloud, 'image verify')).toMatchObject({ code: 1 })
})

test.each([
  'image share app:1',
  'image policy set',
  'image save app:1',
  'image load',
  'image show',
  'image list --only x y',
])('"%s" is a mistake on the command line', async (line) => {
  await using cloud = await serveFakeCloud()
  expect((await gantry(cloud, line)).code).toBe(2)
})
