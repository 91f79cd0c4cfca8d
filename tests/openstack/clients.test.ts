import { networkService } from '@gantry/openstack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Session } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, testCloud, type TestProject } from './fixtures/test-cloud.ts'

let cloud: TestCloud
let gantry: GantryOnCloud
let project: TestProject
let session: Session

beforeAll(async () => {
  cloud = await testCloud()
  gantry = await gantryOnCloud(cloud)
  project = await cloud.newProject()
  session = await gantry.as(project.member)
  await as('network', 'create', 'private')
  await as('subnet', 'create', '--network', 'private', '--no-dhcp', '--subnet-range', '10.31.0.0/24', 'private')
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})

const as = (...args: string[]) => cloud.openstack(project.member, ...args)
const container = (...args: string[]) => as('appcontainer', ...args)

async function shown(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await container('show', name, '-f', 'json')) as Record<string, unknown>
}

async function addressOf(name: string): Promise<string> {
  const { json } = await session.zun('GET', `/containers/${name}`)
  const { addresses } = json as unknown as { addresses: Record<string, { addr: string }[]> }
  return Object.values(addresses).flat()[0]?.addr ?? ''
}

const isUp = (name: string) => session.waitFor(name, ({ status }) => status === 'Running')

test('the openstack client runs Glance’s image, on the network that is named or the project’s own', async () => {
  await container(
    'run',
    '--name',
    'db',
    '--image-driver',
    'glance',
    '--net',
    'network=private',
    'busybox',
    'sleep',
    '9999',
  )
  await isUp('db')
  const address = await addressOf('db')
  expect(address).toMatch(/^10\.31\.0\.\d+$/)
  expect(JSON.stringify((await shown('db'))['addresses'])).toContain(address)
  await container('run', '--name', 'web', 'busybox', 'ping', address)
  await isUp('web')
  await eventually('an answer in the log', async () => (await container('logs', 'web')).includes('64 bytes from'))
  expect(await container('exec', 'web', 'ls', '-a', '/')).toContain('bin')
})

test('it lists, stops, starts, pauses and changes them, and shows their networks', async () => {
  await container('stop', '--timeout', '0', 'web')
  await session.waitFor('web', ({ status }) => status === 'Stopped')
  await container('start', 'web')
  await isUp('web')
  await container('pause', 'web')
  await session.waitFor('web', ({ status }) => status === 'Paused')
  await container('unpause', 'web')
  await container('set', '--memory', '96', 'web')
  await session.waitFor('web', ({ status }) => status === 'Running')
  expect(await container('list', '-f', 'value', '-c', 'name')).toMatch(/web/)
  const [nic] = JSON.parse(await container('network', 'list', 'db', '-f', 'json')) as Record<string, unknown>[]
  expect(JSON.stringify(nic)).toContain(await addressOf('db'))
})

test('it gives them security groups and floating IPs, which find their ports by the container’s id', async () => {
  await as('security', 'group', 'create', 'open')
  await container('add', 'security', 'group', 'db', 'open')
  await as('router', 'create', '--external-gateway', 'public', 'out')
  await as('router', 'add', 'subnet', 'out', 'private')
  const ip = await as('floating', 'ip', 'create', 'public', '-f', 'value', '-c', 'floating_ip_address')
  await container('add', 'floating', 'ip', 'db', ip)
  const network = networkService(cloud.session(project.member))
  const [found] = await Array.fromAsync(network.floatingIps.list({ floating_ip_address: ip }, cloud.context()))
  expect(found?.fixed_ip_address).toBe(await addressOf('db'))
  await container('remove', 'floating', 'ip', ip)
})

test('docker run on the same network is in one listing with them, and they reach each other', async () => {
  const env = { DOCKER_API_VERSION: '1.41' }
  // The project's usual network is Docker's `bridge`.
  const ran = await gantry.docker(['run', '-d', '--name', 'by-docker', 'busybox', 'sleep', '9999'], { session, env })
  expect(ran.code, ran.stderr).toBe(0)
  const address = await addressOf('by-docker')
  expect(address).toMatch(/^10\.31\.0\.\d+$/)
  await eventually('an answer', async () =>
    (await container('exec', 'web', 'ping', '-c1', '-W1', address)).includes('1 packets received'),
  )
  const listed = await gantry.docker(['ps', '--format', '{{.Names}}'], { session, env })
  expect(listed.stdout.split('\n')).toEqual(expect.arrayContaining(['by-docker', 'db', 'web']))
  expect(await container('list', '-f', 'value', '-c', 'name')).toMatch(/by-docker/)
})

test('it deletes them, and nothing is left at Neutron', async () => {
  for (const name of ['db', 'web', 'by-docker']) await container('delete', '--stop', '--wait', name)
  const network = networkService(cloud.session(project.member))
  const left = await Array.fromAsync(network.ports.list({ device_owner: 'compute:kuryr' }, cloud.context()))
  expect(left).toEqual([])
})
