import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { allOf, type VolumeService, volumeService } from '@gantry/openstack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import type { Part, Session } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, testCloud } from './fixtures/test-cloud.ts'

/** Containers that take a volume of Cinder's along to another host: two agents on two engines. */
let cloud: TestCloud
let gantry: GantryOnCloud
let there: TestEngine
let other: Part
let member: Session
let cinder: VolumeService
const context = () => cloud.context()

beforeAll(async () => {
  cloud = await testCloud()
  there = await startEngine({ network: 'host' })
  await loadBusybox(there.socket)
  gantry = await gantryOnCloud(cloud)
  other = await gantry.addHost('other-host', there)
  member = await gantry.as((await cloud.newProject()).member)
  cinder = volumeService(cloud.adminSession)
}, 180_000)
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await there?.stop()
  await cloud?.[Symbol.asyncDispose]()
})

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.docker(args, { session: member })
  expect(code, `docker ${args.join(' ')}: ${stderr} ${await gantry.logs()}`).toBe(0)
  return stdout.trim()
}

async function admin(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.cli(args, { user: 'admin' })
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0)
  return stdout
}

const isOn = async (engine: TestEngine, id: string) =>
  (
    await engine.docker('ps', '--filter', 'label=gantry.container', '--format', '{{.Label "gantry.container"}}')
  ).includes(id)
const attachmentsOf = async (id: string) =>
  (await allOf(cinder.attachments.list({ all_tenants: true, volume_id: id }, context()))).filter(
    ({ volume_id }) => volume_id === id,
  )

test('what was written on one host is there on the next, and back again', { timeout: 300_000 }, async () => {
  await docker('volume', 'create', '--opt', 'size=1', 'moving')
  const { json } = await member.native('GET', '/volumes/moving')
  const { id: volumeId } = json as unknown as { id: string }
  const line = 'trap exit TERM; echo start >> /data/starts; sleep 100000 & wait'
  await docker(
    'run',
    '-d',
    '--name',
    'nomad',
    '--network',
    'none',
    '-v',
    'moving:/data',
    'busybox:latest',
    'sh',
    '-c',
    line,
  )
  const { json: shown } = await member.zun('GET', '/containers/nomad')
  const id = shown.uuid
  for (let starts = 1; starts <= 2; starts++) {
    const [from, to] = (await isOn(gantry.engine, id)) ? [gantry.engine, there] : [there, gantry.engine]
    await admin('move', id)
    await eventually('it on the other host', () => isOn(to, id), 120)
    expect(await isOn(from, id)).toBe(false)
    const lines = await eventually('its data', async () => docker('exec', 'nomad', 'cat', '/data/starts'))
    expect(lines.split('\n')).toHaveLength(starts + 1)
    await eventually('one attachment, in use', async () => {
      const found = await attachmentsOf(volumeId)
      return found.length === 1 && (await cinder.volumes.show(volumeId, context())).status === 'in-use'
    })
  }
  // The volume is for several containers of one host: one of two does not leave.
  await docker(
    'run',
    '-d',
    '--name',
    'beside',
    '--network',
    'none',
    '-v',
    'moving:/data',
    'busybox:latest',
    'sh',
    '-c',
    line,
  )
  const stays = await gantry.cli(['move', id], { user: 'admin' })
  expect(stays.code).not.toBe(0)
  expect(stays.stderr).toContain('on the same host')
  await docker('rm', '-f', 'beside')
  await docker('rm', '-f', 'nomad')
  expect(await attachmentsOf(volumeId)).toEqual([])
  await docker('volume', 'rm', 'moving')
})

test('a host that only fell silent keeps its volume, and no other mounts it until it lets go', {
  timeout: 400_000,
}, async () => {
  await docker('volume', 'create', '--opt', 'size=1', 'fenced')
  const { json } = await member.native('GET', '/volumes/fenced')
  const { id: volumeId } = json as unknown as { id: string }
  const line = 'while :; do echo $((n = n + 1)) >> /data/counted; sync; sleep 0.2; done'
  const image = ['busybox:latest', 'sh', '-c', line]
  await docker('run', '-d', '--name', 'counter', '--network', 'none', '-v', 'fenced:/data', ...image)
  const id = (await member.zun('GET', '/containers/counter')).json.uuid
  const isFirst = await isOn(gantry.engine, id)
  const [from, to] = isFirst ? [gantry.engine, there] : [there, gantry.engine]
  const silent = isFirst ? gantry.agent : other
  await silent.kill9()
  await eventually('its host away', async () => {
    const hosts = JSON.parse(await admin('hosts', '--json')) as { connected: boolean }[]
    return hosts.some(({ connected }) => !connected)
  })
  // A wrong word of the administrator's: the container still runs and writes there.
  await admin('move', '--lost', '--no-wait', id)
  const mounts = async () =>
    (await readFile('/proc/self/mounts', 'utf8')).split('\n').filter((each) => each.includes(`${volumeId}/data`))
  await eventually('the next host to be let at it', async () =>
    (await attachmentsOf(volumeId)).some(({ status }) => status === 'attaching'),
  )
  for (let looks = 0; looks < 20; looks += 1) {
    expect(await mounts()).toHaveLength(1)
    await sleep(500)
  }
  expect(await isOn(from, id)).toBe(true)
  expect(await isOn(to, id)).toBe(false)
  await silent.start()
  await eventually('it gone from the first', async () => !(await isOn(from, id)), 120)
  await eventually('it on the other host', () => isOn(to, id), 180)
  await eventually('it counting', async () => (await docker('exec', 'counter', 'cat', '/data/counted')).length > 0)
  const lines = (await docker('exec', 'counter', 'cat', '/data/counted')).split('\n').map(Number)
  // Two runs, one after the other: each counts from one.
  expect(lines.filter((n) => n === 1)).toHaveLength(2)
  expect(lines.every((n, index) => n === 1 || n === Number(lines[index - 1]) + 1)).toBe(true)
  await docker('rm', '-f', 'counter')
  expect(await attachmentsOf(volumeId)).toEqual([])
  await docker('volume', 'rm', 'fenced')
})
