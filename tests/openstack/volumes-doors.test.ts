import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { allOf, firstOf, isOpenStackError, shareService, type Volume, volumeService } from '@gantry/openstack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Session } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, testCloud, type TestProject } from './fixtures/test-cloud.ts'

const run = promisify(execFile)

/** One volume of Cinder by every door: the clients of Zun, Docker and Cinder, and our own command line. */
let cloud: TestCloud
let gantry: GantryOnCloud
let project: TestProject
let session: Session
const manyType = `many-${process.pid}`

beforeAll(async () => {
  cloud = await testCloud()
  gantry = await gantryOnCloud(cloud)
  busybox = gantry.busyboxId
  project = await cloud.newProject()
  session = await gantry.as(project.member)
  await openstack('network', 'create', 'private')
  await openstack('subnet', 'create', '--network', 'private', '--no-dhcp', '--subnet-range', '10.33.0.0/24', 'private')
  await cloud.openstack(cloud.admin, 'volume', 'type', 'create', '--property', 'multiattach=<is> True', manyType)
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  const after = await testCloud()
  await after.openstack(after.admin, 'volume', 'type', 'delete', manyType)
  await after[Symbol.asyncDispose]()
})

const openstack = (...args: string[]) => cloud.openstack(project.member, ...args)

async function succeeded(name: string, args: readonly string[], result: Awaited<ReturnType<GantryOnCloud['cli']>>) {
  if (result.code === 0) return result.stdout.trim()
  throw new Error(`${name} ${args.join(' ')}: ${result.stderr}\n${await gantry.logs()}`)
}
const docker = async (...args: string[]) => succeeded('docker', args, await gantry.docker(args, { session }))

async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.docker(args, { session })
  if (code === 0) throw new Error(`docker ${args.join(' ')} did not fail: ${stdout}`)
  return stderr
}

/** Our command line, as the project's member. */
async function cli(...args: string[]): Promise<string> {
  const program = new URL('../../apps/cli/src/main.ts', import.meta.url).pathname
  const { PATH = '' } = process.env
  const env = { PATH, HOME: '/nonexistent', ...cloud.env(project.member) }
  const { stdout } = await run(process.execPath, [program, ...args, '--api', gantry.api], { env })
  return stdout.trim()
}

async function native(method: string, path: string, body?: unknown) {
  const { status, json, text } = await session.native(method, path, body)
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
  return json as unknown as Record<string, unknown>
}

/** By Cinder's API: its client takes seconds for each answer. */
async function atCinder(name: string): Promise<Volume> {
  const found = await firstOf(volumeService(cloud.session(project.member)).volumes.list({ name }, cloud.context()))
  if (!found) throw new Error(`Cinder has no volume ${name}.`)
  return found
}
const isFree = (name: string) =>
  eventually(`volume ${name} to be free`, async () => (await atCinder(name)).status === 'available')
const volumeNames = async () =>
  (await allOf(volumeService(cloud.session(project.member)).volumes.list({}, cloud.context()))).map(({ name }) => name)

/** By its id: the cloud may have several of the name. */
let busybox: string

test('the decks’ lines of Fuxi make one volume at Cinder, whose data outlives its container', async () => {
  const create = ['volume', 'create', '--driver', 'fuxi', '--name', 'my_vol']
  const first = [
    '--opt',
    'size=1',
    '--opt',
    'fstype=ext4',
    '--opt',
    'multiattach=true',
    '--opt',
    'volume_provider=cinder',
  ]
  expect(await docker(...create, ...first)).toBe('my_vol')
  await isFree('my_vol')
  expect(await atCinder('my_vol')).toMatchObject({
    size: 1,
    multiattach: true,
    metadata: { volume_from: 'fuxi', fstype: 'ext4' },
  })
  expect(await refusal(...create, '--opt', 'volume_provider=manila')).toContain(
    'a volume of that name exists already and is kept by cinder, not by manila',
  )
  const mount = ['-v', 'my_vol:/var/www', busybox]
  await docker('run', '--rm', ...mount, 'sh', '-c', 'echo kept > /var/www/index.html')
  await isFree('my_vol')
  expect(await docker('run', '--rm', ...mount, 'cat', '/var/www/index.html')).toBe('kept')
  expect(await docker('volume', 'ls', '-f', 'driver=fuxi', '--format', '{{.Name}} {{.Scope}}')).toBe('my_vol global')
  await docker('volume', 'rm', 'my_vol')
  await eventually('it to be gone', async () => !(await volumeNames()).includes('my_vol'))
}, 400_000)

test('one volume is written by Zun, told by our own API, guarded by Docker and read there', async () => {
  await native('POST', '/volumes', { name: 'data', size: 1 })
  await isFree('data')
  const write = ['sh', '-c', 'echo zun > /data/f; sync; sleep 1000']
  await openstack(
    'appcontainer',
    'run',
    '--name',
    'writer',
    '--mount',
    'source=data,destination=/data',
    busybox,
    ...write,
  )
  await session.waitFor('writer', ({ status }) => status === 'Running')
  await eventually('Cinder to call it in use', async () => (await atCinder('data')).status === 'in-use')
  expect(await native('GET', '/volumes/data')).toMatchObject({
    backend: 'cinder',
    status: 'in-use',
    mounts: [{ containerName: 'writer', destination: '/data', readOnly: false }],
  })
  expect(await cli('volume', 'show', 'data')).toMatch(/Kept by +cinder[^]*Mounted +writer at \/data/)
  expect(await cli('volume', 'list')).toMatch(/data +1 GiB +in-use +cinder +writer/)
  const inspect = ['volume', 'inspect', '-f', '{{.Driver}} {{.Status.provider}} {{.Status.containers}}', 'data']
  expect(await docker(...inspect)).toBe('cinder cinder [writer]')
  expect(await refusal('volume', 'rm', 'data')).toMatch(/remove data: volume is in use - \[[0-9a-f]{64}\]/)
  expect(await refusal('run', '--rm', '-v', 'data:/data', busybox, 'true')).toContain('in use')
  const again = openstack('appcontainer', 'run', '--mount', 'source=data,destination=/data', busybox, 'true')
  await expect(again).rejects.toThrow(/HTTP 400/)
  const nothing = openstack('appcontainer', 'run', '--mount', 'source=none,destination=/data', busybox, 'true')
  await expect(nothing).rejects.toThrow(/HTTP 404/)
  await openstack('appcontainer', 'delete', '--stop', 'writer')
  await isFree('data')
  // Cinder's driver for files lets nothing grow in use.
  await cli('volume', 'extend', 'data', '--size', '2')
  await isFree('data')
  const look = ['sh', '-c', "cat /data/f; df -k /data | awk 'END { print ($2 > 1500000) }'"]
  expect(await docker('run', '--rm', '-v', 'data:/data', busybox, ...look)).toBe('zun\n1')
  await isFree('data')
  await docker('volume', 'rm', 'data')
}, 400_000)

test('a volume of a size goes with its container, and a clone and a snapshot have what was on it', async () => {
  await native('POST', '/volumes', { name: 'seed', size: 1, description: 'Seed' })
  await isFree('seed')
  await docker('run', '--rm', '-v', 'seed:/v', busybox, 'sh', '-c', 'echo grown > /v/f')
  await isFree('seed')
  // Cinder's driver for files clones nothing that has snapshots.
  await cli('volume', 'create', 'clone', '--from-volume', 'seed')
  await cli('volume', 'snapshot', 'create', 'seed', '--name', 'seeded')
  expect(await docker('volume', 'create', '--driver', 'cinder', '-o', 'snapshot_id=seeded', 'sprout')).toBe('sprout')
  await isFree('sprout')
  for (const name of ['clone', 'sprout']) {
    expect(await docker('run', '--rm', '-v', `${name}:/v`, busybox, 'cat', '/v/f')).toBe('grown')
  }
  await openstack(
    'appcontainer',
    'run',
    '--name',
    'sized',
    '--mount',
    'size=1,destination=/s',
    busybox,
    'sleep',
    '1000',
  )
  await session.waitFor('sized', ({ status }) => status === 'Running')
  expect(await volumeNames()).toContainEqual(expect.stringContaining('of-container'))
  await openstack('appcontainer', 'delete', '--stop', 'sized')
  await eventually(
    'its volume to go with it',
    async () => !(await openstack('volume', 'list')).includes('of-container'),
  )
}, 400_000)

test('what Cinder’s own client made is formatted if nothing is in it, and else left alone', async () => {
  for (const name of ['fresh', 'strange']) {
    await openstack('volume', 'create', '--size', '1', name)
    await isFree(name)
  }
  const { id } = JSON.parse(await openstack('volume', 'show', '-f', 'json', 'strange')) as { id: string }
  // As a database that needs no file system would, somewhere in the middle.
  const file = join(process.env['TESTCLOUD_DIR'] ?? '', 'var/cinder/volumes', `volume-${id}`)
  await run('dd', ['if=/dev/urandom', `of=${file}`, 'bs=4096', 'count=1', 'seek=123456', 'conv=notrunc'])
  await docker('run', '--rm', '-v', 'fresh:/v', busybox, 'sh', '-c', 'echo kept > /v/f')
  expect(await docker('run', '--rm', '-v', 'fresh:/v', busybox, 'cat', '/v/f')).toBe('kept')
  expect(await refusal('run', '--rm', '-v', 'strange:/v', busybox, 'true')).toContain('it holds something')
  await isFree('strange')
}, 400_000)

async function hasManila(): Promise<boolean> {
  try {
    await firstOf(shareService(cloud.adminSession).shares.list({}, cloud.context()))
    return true
  } catch (error) {
    if (isOpenStackError(error) && error.failure === 'unfit') return false
    throw error
  }
}

test('a share of Manila is written by one container and read by another at once', async ({ skip }) => {
  if (!(await hasManila())) skip('this cloud has no Manila')
  const create = ['volume', 'create', '--driver', 'fuxi', '--opt', 'volume_provider=manila']
  expect(await docker(...create, 'files')).toBe('files')
  expect(await docker('volume', 'inspect', '-f', '{{.Status.provider}} {{.Status.size}}', 'files')).toBe('manila 1GiB')
  expect(await refusal(...create.slice(0, 4), '--opt', 'volume_provider=cinder', 'files')).toContain('kept by manila')
  const write = ['sh', '-c', 'echo shared > /srv/f; sleep 1000']
  await docker('run', '-d', '--name', 'writer', '-v', 'files:/srv', busybox, ...write)
  const read = ['run', '--rm', '-v', 'files:/srv:ro', busybox, 'cat', '/srv/f']
  await eventually('what was written', async () => (await docker(...read)) === 'shared')
  expect(await refusal('volume', 'rm', 'files')).toContain('volume is in use')
  await docker('rm', '-f', 'writer')
  await docker('volume', 'rm', 'files')
  await eventually('it to be gone', async () => !(await docker('volume', 'ls', '-q')).includes('files'))
}, 400_000)
