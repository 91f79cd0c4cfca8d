import { readFile } from 'node:fs/promises'
import { allOf, networkService, rulesOf, type ShareService, shareService } from '@gantry/openstack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import type { Session } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'
import { emptyOfShares } from './manila-world.ts'

/** Containers with shares of a real Manila, on two hosts, whose mounts go by the cloud's mount.nfs. */

const [here, there] = ['127.0.0.51', '127.0.0.52']
let cloud: TestCloud
let gantry: GantryOnCloud
let engine: TestEngine
let project: TestProject
let member: Session
let manila: ShareService
let networkId: string
const context = () => cloud.context()

/** What is started by `work` mounts as this address. */
async function as<T>(address: string, work: () => Promise<T>): Promise<T> {
  process.env['TESTCLOUD_NFS_CLIENT'] = address
  try {
    return await work()
  } finally {
    delete process.env['TESTCLOUD_NFS_CLIENT']
  }
}

beforeAll(async () => {
  cloud = await testCloud()
  const agentArgs = ['--storage-address', here, '--label', 'side=here']
  gantry = await as(here, () => gantryOnCloud(cloud, { agentArgs }))
  engine = await startEngine({ network: 'host' })
  await loadBusybox(engine.socket)
  await as(there, () => gantry.addHost('other-host', engine, ['--storage-address', there, '--label', 'side=there']))
  project = await cloud.newProject()
  member = await gantry.as(project.member)
  manila = shareService(cloud.session(project.member))
  const network = networkService(cloud.session(project.member))
  networkId = (await network.networks.create({ name: 'shares' }, context())).id
  const subnet = { network_id: networkId, ip_version: 4, cidr: '10.69.0.0/24', enable_dhcp: false } as const
  await network.subnets.create(subnet, context())
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await engine?.stop()
  if (manila) await emptyOfShares(cloud, cloud.session(project.member))
  await cloud?.[Symbol.asyncDispose]()
})

async function started(side: 'here' | 'there' | null, name: string, source: string): Promise<void> {
  const made = await member.zun('POST', '/containers?run=true', {
    name,
    image: gantry.busyboxId,
    command: ['sleep', '100000'],
    cpu: 0.1,
    memory: '32',
    nets: [{ network: networkId }],
    hints: side === null ? {} : { 'label:side': side },
    mounts: [{ source, destination: '/data' }],
  })
  expect(made.status, made.text).toBe(202)
  const shown = await member.waitFor(name, ({ status }) => status !== 'Creating')
  expect(shown.status, `${shown.status_reason} ${await gantry.logs()}`).toBe('Running')
}

async function shell(name: string, line: string): Promise<string> {
  const command = encodeURIComponent(`sh -c "${line}"`)
  const { json, text } = await member.zun('POST', `/containers/${name}/execute?command=${command}&run=true`)
  const { exit_code: code, output } = json as unknown as { exit_code: number; output: string }
  expect(code, text).toBe(0)
  return output.trim()
}

async function removed(name: string): Promise<void> {
  const { status, text } = await member.zun('DELETE', `/containers/${name}?stop=true`)
  expect(status, text).toBe(204)
  await eventually(
    `${name} to be gone`,
    async () => (await member.zun('GET', `/containers/${name}`)).status === 404,
    90,
  )
}

async function aShare(name: string): Promise<string> {
  const made = await member.native('POST', '/volumes', { name, size: 1, backend: 'manila' })
  expect(made.status, made.text).toBeLessThan(300)
  const { id } = made.json as unknown as { id: string }
  await eventually('the share', async () => (await manila.shares.show(id, context())).status === 'available')
  return id
}
const letIn = async (id: string) =>
  ((await rulesOf(manila, id, context())) ?? []).map(({ access_to: to }) => to).toSorted()
const mountsOf = async (id: string) => {
  const share = await manila.exportLocations(id, context())
  const folder = share[0]?.path.split('/').at(-1) ?? 'none'
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  return table.split('\n').filter((line) => line.includes(folder) && !line.includes('/manila/mounts/'))
}

test('containers on two hosts write to one share; each host has access for as long as a container of it has the share', async () => {
  const id = await aShare('files')
  await started('here', 'one', 'files')
  await started('there', 'two', id)
  await started('here', 'three', 'files')
  expect(await letIn(id)).toEqual([here, there])
  await shell('one', 'echo hello > /data/f')
  expect(await shell('two', 'cat /data/f; echo there > /data/g')).toBe('hello')
  expect(await shell('three', 'cat /data/g')).toBe('there')
  const refused = await member.native('DELETE', `/volumes/${id}`)
  expect(refused.status, refused.text).toBe(409)

  await removed('one')
  expect(await letIn(id)).toEqual([here, there])
  expect(await shell('three', 'cat /data/f')).toBe('hello')
  await removed('three')
  // Not a moment later: who waited for the container may rely on it.
  expect(await letIn(id)).toEqual([there])
  expect(await shell('two', 'cat /data/f')).toBe('hello')
  await removed('two')
  expect(await letIn(id)).toEqual([])
  expect(await mountsOf(id)).toEqual([])
  await started('there', 'four', 'files')
  expect(await shell('four', 'cat /data/f')).toBe('hello')
  await removed('four')
  expect((await member.native('DELETE', `/volumes/${id}`)).status).toBeLessThan(300)
  await eventually('its end', async () => (await allOf(manila.shares.list({ name: 'files' }, context()))).length === 0)
})

test('a share outlives the deaths of server and agent, and leaves nothing behind after them', async () => {
  const id = await aShare('lasting')
  await started('here', 'one', 'lasting')
  await shell('one', 'echo kept > /data/f')
  await gantry.agent.kill9()
  await gantry.server.kill9()
  await gantry.server.start()
  await as(here, () => gantry.agent.start())
  await eventually('its host', async () => (await shell('one', 'cat /data/f').catch(() => '')) === 'kept')
  expect(await letIn(id)).toEqual([here])
  // Killed while it lets go.
  await member.zun('DELETE', '/containers/one?stop=true')
  await gantry.server.kill9()
  await gantry.server.start()
  await eventually('one to be gone', async () => (await member.zun('GET', '/containers/one')).status === 404, 90)
  await eventually('no access', async () => (await letIn(id)).length === 0)
  expect(await mountsOf(id)).toEqual([])
})

test('a container that moves takes its share along, and the host it left is shut out', async () => {
  const id = await aShare('moving')
  // To no side in particular: it must be let go elsewhere.
  await started(null, 'one', 'moving')
  await shell('one', 'echo kept > /data/f')
  const before = await letIn(id)
  expect(before.length).toBe(1)
  const { json } = await member.zun('GET', '/containers/one')
  const { code, stderr } = await gantry.cli(['move', json.uuid], { user: 'admin' })
  expect(code, stderr).toBe(0)
  await eventually('its new host', async () => {
    const now = await letIn(id)
    return now.length === 1 && now[0] !== before[0]
  })
  await eventually('what it wrote', async () => (await shell('one', 'cat /data/f').catch(() => '')) === 'kept')
  await removed('one')
  expect(await mountsOf(id)).toEqual([])
})

test('docker makes a share, fills it and finds it again', async () => {
  const docker = async (...args: string[]) => {
    const { code, stdout, stderr } = await gantry.docker(args, { session: member })
    expect(code, stderr).toBe(0)
    return stdout.trim()
  }
  await docker('volume', 'create', '--driver', 'fuxi', '--opt', 'volume_provider=manila', 'docs')
  const [share] = await allOf(manila.shares.list({ name: 'docs' }, context()))
  if (!share) throw new Error('There is no share docs.')
  await docker('run', '--rm', '-v', 'docs:/d', gantry.busyboxId, 'sh', '-c', 'echo hi > /d/f')
  expect(await docker('run', '--rm', '-v', 'docs:/d', gantry.busyboxId, 'cat', '/d/f')).toBe('hi')
  await eventually('no access', async () => (await letIn(share.id)).length === 0)
  expect(await docker('volume', 'ls', '--format', '{{.Driver}} {{.Name}}')).toContain('fuxi docs')
  await docker('volume', 'rm', 'docs')
  await eventually('its end', async () => (await allOf(manila.shares.list({ name: 'docs' }, context()))).length === 0)
})

test('a Manila that is away is told at once, and nothing that runs minds', async () => {
  await aShare('near')
  await started('here', 'one', 'near')
  await cloud.stop('manila-api')
  try {
    const made = await member.native('POST', '/volumes', { name: 'far', size: 1, backend: 'manila' })
    expect(made.status, made.text).toBe(503)
    expect(await shell('one', 'echo still > /data/f; cat /data/f')).toBe('still')
  } finally {
    await cloud.start('manila-api')
  }
  await removed('one')
})
