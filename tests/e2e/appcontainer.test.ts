import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gantry, startGantry } from '../fixtures/gantry.ts'

/** The unmodified `openstack appcontainer` client of Debian against the whole of Gantry, verb after verb. */
let gantry: Gantry
let folder: string

beforeAll(async () => {
  gantry = await startGantry()
  folder = await mkdtemp('/tmp/gantry-cp-')
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await gantry?.[Symbol.asyncDispose]()
})

const openstack = (...args: string[]) => gantry.openstack('appcontainer', ...args)
const show = async (name: string) => JSON.parse(await openstack('show', name, '-f', 'json')) as Record<string, unknown>

async function until(name: string, status: string): Promise<void> {
  const demo = await gantry.logIn('demo')
  await demo.waitFor(name, (container) => container.status === status && container.task_state === null)
}

test('the catalog names the container service', async () => {
  expect(await gantry.openstack('catalog', 'list')).toContain('/container/v1')
})

test('run, list, show, logs: four pings', async () => {
  await openstack('run', '--name', 'test', 'busybox:latest', 'ping', '-c', '4', '127.0.0.1')
  await until('test', 'Stopped')
  expect(await openstack('list')).toMatch(/test.*busybox:latest.*Stopped/)
  expect(await show('test')).toMatchObject({ status: 'Stopped', image: 'busybox:latest', memory: '512' })
  expect(await openstack('logs', 'test')).toContain('4 packets transmitted, 4 packets received')
  await openstack('delete', 'test')
})

test('exec, top, stats, pause, unpause, stop, start, restart, kill', async () => {
  await openstack('run', '--name', 'life', '--wait', 'busybox:latest', 'sleep', '1000')
  expect(await show('life')).toMatchObject({ status: 'Running' })
  expect(await openstack('exec', 'life', 'ls', '-a')).toContain('bin')
  expect(await openstack('stats', 'life')).toContain('CPU %')
  await openstack('pause', 'life')
  await until('life', 'Paused')
  await openstack('unpause', 'life')
  await until('life', 'Running')
  await openstack('stop', 'life', '--timeout', '1')
  await until('life', 'Stopped')
  await openstack('start', 'life')
  await until('life', 'Running')
  const pid = await gantry.engine.docker('ps', '-q', '--filter', 'name=gantry-')
  await openstack('restart', 'life', '--timeout', '1')
  await until('life', 'Running')
  expect(await gantry.engine.docker('ps', '-q', '--filter', 'name=gantry-')).toBe(pid)
  await openstack('kill', 'life', '--signal', 'SIGKILL')
  await until('life', 'Stopped')
})

test('set changes the limits in the running engine', async () => {
  await openstack('start', 'life')
  await until('life', 'Running')
  await openstack('set', 'life', '--cpu', '0.5', '--memory', '256')
  await until('life', 'Running')
  expect(await show('life')).toMatchObject({ cpu: 0.5, memory: '256' })
  const id = await gantry.engine.docker('ps', '-q', '--filter', 'name=gantry-')
  const limits = await gantry.engine.docker('inspect', '-f', '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}', id)
  expect(limits).toBe(`500000000 ${256 * 1024 * 1024}`)
})

test('cp goes both ways', async () => {
  await writeFile(join(folder, 'greeting'), 'hello from outside\n')
  await openstack('cp', join(folder, 'greeting'), 'life:/tmp')
  expect(await openstack('exec', 'life', 'cat', '/tmp/greeting')).toContain('hello from outside')
  await rm(join(folder, 'greeting'))
  await openstack('cp', 'life:/tmp/greeting', folder)
  expect(await readFile(join(folder, 'greeting'), 'utf8')).toBe('hello from outside\n')
})

test('commit makes an image that the project can run, and no other project', async () => {
  await openstack('commit', 'life', 'mine:v1')
  const demo = await gantry.logIn('demo')
  await expect
    .poll(async () => (await demo.native('GET', '/images')).text, { timeout: 30_000 })
    .not.toContain('"imageId":null')
  await openstack('run', '--name', 'copy', 'mine:v1', 'cat', '/tmp/greeting')
  await until('copy', 'Stopped')
  expect(await openstack('logs', 'copy')).toContain('hello from outside')
  const other = await gantry.newTenant('curious')
  const made = await other.zun('POST', '/containers?run=true', {
    image: 'mine:v1',
    name: 'theirs',
    image_pull_policy: 'ifnotpresent',
  })
  expect(made.status).toBe(202)
  const theirs = await other.waitFor('theirs', (container) => container.status === 'Error')
  expect(theirs.status_reason).toMatch(/mine:v1/)
})

test('the actions of a container are told, newest first', async () => {
  const actions = await openstack('action', 'list', 'life')
  for (const name of ['create', 'pause', 'unpause', 'stop', 'start', 'reboot', 'kill', 'commit']) {
    expect(actions).toContain(name)
  }
})

test('rebuild keeps the container and makes its process anew', async () => {
  await openstack('rebuild', 'life', '--wait')
  await until('life', 'Running')
  // The client hands on the exit code of the command, which finds no file any more.
  await expect(openstack('exec', 'life', 'cat', '/tmp/greeting')).rejects.toMatchObject({ code: 1 })
})

test('hosts, services, availability zones and quotas answer the administrator', async () => {
  const admin = await gantry.env('admin')
  expect(await gantry.openstackAs(admin, 'appcontainer', 'host', 'list')).toContain('test-host')
  expect(await gantry.openstackAs(admin, 'appcontainer', 'service', 'list')).toMatch(/test-host.*up/)
  expect(await openstack('availability', 'zone', 'list')).toContain('nova')
  const demo = await gantry.logIn('demo')
  expect(await openstack('quota', 'get', demo.projectId)).toContain('containers')
})

test('delete --stop ends a running container, and show then says it could not be found', async () => {
  await openstack('delete', '--stop', '--wait', 'life')
  await openstack('delete', 'copy')
  await expect(openstack('show', 'life')).rejects.toThrow(/could not be found|404/)
  const demo = await gantry.logIn('demo')
  await expect
    .poll(async () => (await demo.zun('GET', '/containers')).text, { timeout: 20_000 })
    .toContain('"containers":[]')
})
