import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CloudUser, type TestCloud, testCloud } from './fixtures/test-cloud.ts'

/** `gantry openstack register` and `gantry doctor --openstack` on a real Keystone, in a region and with a user of their own. */
const run = promisify(execFile)
const main = new URL('../../apps/cli/src/main.ts', import.meta.url).pathname
let cloud: TestCloud
let home: string

beforeAll(async () => {
  cloud = await testCloud()
  home = await mkdtemp('/tmp/gantry-register-')
  await cloud.openstack(cloud.admin, 'region', 'create', region)
})
afterAll(async () => {
  await cloud?.openstack(cloud.admin, 'region', 'delete', region).catch(() => '')
  await cloud?.[Symbol.asyncDispose]()
  if (home) await rm(home, { recursive: true, force: true })
})

const region = `region-${process.pid}`
const name = `gantry-${process.pid}`
const own = ['--user', name, '--region', region]

interface Answer {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function gantry(user: CloudUser, ...args: string[]): Promise<Answer> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, GANTRY_HOME: home, ...cloud.env(user) }
  try {
    const { stdout, stderr } = await run(process.execPath, [main, ...args], { env })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

const register = (url: string, ...args: string[]) =>
  gantry(cloud.admin, 'openstack', 'register', '--url', url, ...own, ...args)
const doneOf = ({ out }: Answer) => (JSON.parse(out) as { changes: { what: string; done: string }[] }).changes
const file = () => join(home, 'openstack.yaml')
const endpoints = () => cloud.openstack(cloud.admin, 'endpoint', 'list', '--region', region, '-f', 'value')

test('a dry run changes nothing', async () => {
  const answer = await register('http://controller:9700', '--dry-run')
  expect(answer).toMatchObject({ code: 0, err: '' })
  expect(answer.out).toContain(`would create  user ${name}`)
  expect(await endpoints()).toBe('')
  await expect(stat(file())).rejects.toThrow('ENOENT')
})

test('what is made is used, and kept the second time', async () => {
  expect(await register('http://controller:9700/')).toMatchObject({ code: 0, err: '' })
  expect((await endpoints()).split('\n')).toHaveLength(6)
  expect(await endpoints()).toContain('http://controller:9700/container/v1')
  expect((await stat(file())).mode & 0o777).toBe(0o600)
  const before = await readFile(file(), 'utf8')
  const password = /password: (.*)/.exec(before)?.[1] ?? ''
  const serviceUser = { username: name, password, project: 'service' }
  const roles = await cloud.openstack(
    cloud.admin,
    'role',
    'assignment',
    'list',
    '--names',
    '--user',
    name,
    '-f',
    'value',
  )
  expect(roles).toMatch(/^admin /m)
  expect(roles).toMatch(/^service /m)
  await cloud.openstack(serviceUser, 'token', 'issue')

  const again = await register('http://controller:9700', '--json')
  expect(again.code, again.err).toBe(0)
  expect(doneOf(again).filter(({ done }) => done !== 'kept')).toEqual([])
  expect(await readFile(file(), 'utf8')).toBe(before)
})

test('a move changes the endpoints; a file that others may read is put right', async () => {
  await chmod(file(), 0o644)
  const moved = doneOf(await register('https://elsewhere.example', '--json'))
  expect(moved.filter(({ done }) => done === 'changed').map(({ what }) => what)).toEqual([
    ...Array(6).fill('endpoint'),
    'file',
  ])
  expect(await endpoints()).not.toContain('controller')
  expect((await stat(file())).mode & 0o777).toBe(0o600)
})

test('a password that is not known here is not changed unasked', async () => {
  const kept = await readFile(file(), 'utf8')
  await rm(file())
  const refused = await register('https://elsewhere.example')
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.err).toContain('--reset-password')
  expect(await register('https://elsewhere.example', '--reset-password')).toMatchObject({ code: 0 })
  expect(await readFile(file(), 'utf8')).not.toBe(kept)
})

test('another container service is not replaced unasked', async () => {
  const [id = ''] =
    (await endpoints())
      .split('\n')
      .find((line) => line.includes('container'))
      ?.split(' ') ?? []
  await cloud.openstack(cloud.admin, 'endpoint', 'set', '--url', 'http://zun.example:9517/v1', id)
  const refused = await register('https://elsewhere.example')
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.err).toMatch(/zun\.example.*--replace/)
  expect(await register('https://elsewhere.example', '--replace')).toMatchObject({ code: 0 })
  expect(await endpoints()).not.toContain('zun.example')
})

test('who is no administrator is told so, and who gives no credentials what lacks', async () => {
  const project = await cloud.newProject()
  const refused = await gantry(project.member, 'openstack', 'register', '--url', 'http://c:1', ...own)
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.err).toContain('administrator of the cloud')
  const nobody = { ...process.env, OS_AUTH_URL: '', OS_CLOUD: '' }
  const words = [main, 'openstack', 'register', '--url', 'http://c:1']
  await expect(run(process.execPath, words, { env: nobody })).rejects.toMatchObject({
    code: 3,
    stderr: expect.stringContaining('OS_AUTH_URL, OS_USERNAME, OS_PASSWORD') as string,
  })
})

test('the doctor names what is well, and what is not with its remedy', async () => {
  await writeFile(
    file(),
    (await readFile(file(), 'utf8')).replace(`region_name: ${region}`, `region_name: ${cloud.region}`),
  )
  const doctor = await gantry(cloud.admin, 'doctor', '--openstack', '--neutron-host', cloud.hostName, '--json')
  const findings = JSON.parse(doctor.out) as { state: string; text: string }[]
  const of = (state: string) => findings.filter((one) => one.state === state).map(({ text }) => text)
  expect(of('ok')).toEqual(
    expect.arrayContaining([
      'The service user has the roles admin and service',
      'Glance takes images of containers',
      'Neutron has all the extensions that are used',
      'The external network is public',
    ]),
  )
  expect(of('ok').join('\n')).toMatch(/Linux bridge agent .* is alive/)
  expect(of('ok').join('\n')).toMatch(/Cinder at http.* keeps volumes/)
  expect(of('ok').join('\n')).toMatch(/Manila at http.* keeps shares/)
  const strange = await gantry(cloud.admin, 'doctor', '--openstack', '--neutron-host', 'nowhere')
  expect(strange.code).toBe(1)
  expect(strange.out).toMatch(/✗ .*no agent of nowhere .*--neutron-host/)
  await writeFile(file(), (await readFile(file(), 'utf8')).replace(/password: .*/, 'password: wrong'))
  const locked = await gantry(cloud.admin, 'doctor', '--openstack')
  expect(locked.code).toBe(1)
  expect(locked.out).toMatch(/✗ .*401.*gantry openstack register/)
})

test('unregister leaves nothing behind', async () => {
  const answer = await gantry(cloud.admin, 'openstack', 'unregister', ...own)
  expect(answer).toMatchObject({ code: 0, err: '' })
  expect(await endpoints()).toBe('')
  expect(await cloud.openstack(cloud.admin, 'user', 'list', '-f', 'value')).not.toContain(name)
  await expect(stat(file())).rejects.toThrow('ENOENT')
})
