/**
 * Hosts of a real Nova's servers, whose hypervisor makes believe: what they would boot, fixtures/nova-machines.ts boots. Left out where
 * the cloud has no Nova, as in CI; TESTCLOUD_SERVICES='keystone glance placement neutron nova' npm run test:openstack has one.
 */
import { randomUUID } from 'node:crypto'
import { openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Boot } from '@gantry/control'
import { randomIds, systemClock } from '@gantry/kernel'
import { freePort } from '@gantry/kernel/testing'
import type { InstanceId } from '@gantry/model'
import { allOf, identityService } from '@gantry/openstack'
import { novaCompute, openAccess, readNovaSettings } from '@gantry/providers-openstack'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { computeFindings } from '../../apps/cli/src/openstack/check-compute.ts'
import { findingLine } from '../../apps/cli/src/openstack/finding.ts'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import type { Session } from '../fixtures/gantry.ts'
import { launch } from '../fixtures/parts.ts'
import { type ComputeWorld, computeWorld } from './fixtures/compute-world.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { type NovaMachines, novaMachines } from './fixtures/nova-machines.ts'
import { eventually, type TestCloud, testCloud } from './fixtures/test-cloud.ts'

const silent = { info() {}, warn() {}, error() {} }

let cloud: TestCloud
let world: ComputeWorld
beforeAll(async () => {
  cloud = await testCloud()
  world = await computeWorld(cloud)
})
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})

const serversThere = async () => (await allOf(world.nova.servers.list({}, cloud.context()))).map(({ id }) => id).sort()

describe('servers of Nova', () => {
  test('one has our marks and its token, is found by them, and goes; what is not ours is not touched', async () => {
    const { nova, plain } = world
    const signal = AbortSignal.timeout(200_000)
    const settings = await readNovaSettings(await world.settings())
    await using access = await openAccess(settings.cloud, { clock: systemClock, ids: randomIds, log: silent })
    const deployment = randomUUID()
    const provider = novaCompute({ access, servers: settings.servers, deployment })
    expect(await provider.size(signal)).toEqual({ cpus: 1, memory: 1024, disk: 1 })
    // Of the user, and of another deployment: alike in all but the marks.
    const foreign = await nova.servers.create({ ...plain, name: 'gantry-mine' }, cloud.context())
    const metadata = { gantry_deployment: randomUUID(), gantry_instance: randomUUID() }
    const other = await nova.servers.create({ ...plain, name: 'gantry-other', metadata }, cloud.context())

    const boot = aBoot()
    const id = await provider.create(boot, signal)
    expect(await provider.list(signal)).toEqual([{ providerId: id, id: boot.id, tokenId: boot.tokenId, problem: null }])
    // Nova lists it some time before it is written there.
    const [data = ''] = await eventually('the user data', async () => {
      const [row] = await cloud.sql('nova', `SELECT user_data FROM instances WHERE uuid = '${id}'`)
      return row
    })
    const told = Buffer.from(data, 'base64').toString()
    expect(told.split('\n', 1)).toEqual(['#cloud-config'])
    const { write_files: files } = parse(told) as { write_files: { path: string; content: string }[] }
    expect(files[0]?.content.trim()).toBe(boot.token)
    expect(files[1]?.content).toContain(`--join 10.0.0.11:9702 --name ${boot.name} --token-file /etc/gantry/join-token`)

    for (const each of [foreign.id, other.id, id]) await provider.delete(each, signal)
    expect(await provider.list(signal)).toEqual([])
    expect(await serversThere()).toEqual([foreign.id, other.id].sort())
    // It is gone; so nothing is to be done.
    await provider.delete(id, signal)
    const wrong = novaCompute({ access, servers: { ...settings.servers, image: randomUUID() }, deployment })
    await expect(wrong.create(aBoot(), signal)).rejects.toMatchObject({ code: 'compute.refused' })
  }, 240_000)

  test('are made and deleted by a user without any role, to whom the project’s owner has given a trust', async () => {
    const signal = AbortSignal.timeout(150_000)
    const password = randomUUID()
    const nobody = { name: `trustee-${randomUUID().slice(0, 8)}`, domain_id: 'default', password }
    const trustee = await cloud.identity.users.create(nobody, cloud.context())
    const owner = cloud.session(world.project.member)
    const { user, project } = await owner.info(cloud.context())
    const parties = { trustor_user_id: user.id, trustee_user_id: trustee.id, project_id: project?.id ?? '' }
    const trusts = identityService(owner).trusts
    const given = { ...parties, impersonation: true, roles: [{ name: 'member' }] }
    const trust = await trusts.create(given, cloud.context())
    const auth = { auth_url: cloud.authUrl, user_id: trustee.id, password, trust_id: trust.id }
    const settings = await readNovaSettings(await world.settings({ auth }))
    await using access = await openAccess(settings.cloud, { clock: systemClock, ids: randomIds, log: silent })
    const provider = novaCompute({ access, servers: settings.servers, deployment: randomUUID() })
    const before = await serversThere()
    const id = await provider.create(aBoot(), signal)
    expect((await world.nova.servers.show(id, cloud.context())).tenant_id).toBe(project?.id)
    await provider.delete(id, signal)
    expect(await serversThere()).toEqual(before)
    await trusts.remove(trust.id, cloud.context())
    await cloud.identity.users.remove(trustee.id, cloud.context())
  }, 180_000)
})

test('the doctor says what the user of compute.yaml finds, and what not', async () => {
  const texts = async (servers: object) => (await computeFindings(await world.settings({ servers }))).map(findingLine)
  const well = await texts({})
  expect(well.filter((line) => !line.startsWith('✓'))).toEqual([])
  expect(well).toContain(`✓ Flavor ${world.flavor}: 1 cores, 1024 MiB of memory, 1 GiB of disk`)
  expect(await texts({ flavor: 'huge' })).toContainEqual(
    expect.stringMatching(/^✗ Nova has no flavor huge .*it has: .*m1/),
  )
  const lost = randomUUID()
  expect(await texts({ image: lost, networks: [lost] })).toEqual([
    ...well.slice(0, 3),
    expect.stringMatching(/^✗ Glance shows this user no image/),
    expect.stringMatching(/^✗ Neutron shows this user no network/),
  ])
  const auth = { auth_url: cloud.authUrl, username: 'nobody', password: 'x', project_name: 'demo' }
  const [locked] = await computeFindings(await world.settings({ auth }))
  expect(locked?.state).toBe('bad')
  expect(locked?.text).toMatch(/401.*docs\/operate\/hosts-on-demand.md/)
})

describe('hosts that join by Nova’s user data', () => {
  let engine: TestEngine
  let machines: NovaMachines
  let gantry: GantryOnCloud
  let member: Session
  let admin: Session
  /** Where agents reach the server. */
  let place: string
  beforeAll(async () => {
    engine = await startEngine({ network: 'host' })
    await loadBusybox(engine.socket)
    machines = await novaMachines(cloud, engine, world.project)
    place = `${machines.gateway}:${await freePort()}`
    const servers = { join: [place], agent: machines.agent, agent_options: ['--engine', 'unix:///run/docker.sock'] }
    const demand = ['--compute', 'nova', '--compute-settings', await world.settings({ servers }), '--hosts-ratio', '10']
    gantry = await gantryOnCloud(cloud, {
      engine,
      serverArgs: ['--agents-listen', place, ...demand, '--hosts-linger', '1'],
    })
    member = await gantry.as((await cloud.newProject()).member)
    admin = await gantry.as(cloud.admin)
    // All that runs is to run on hosts that are made for it.
    expect((await admin.native('POST', '/hosts/test-host/disable', { reason: 'test' })).status).toBeLessThan(300)
  })
  afterAll(async () => {
    await gantry?.[Symbol.asyncDispose]()
    await machines?.[Symbol.asyncDispose]()
    await engine?.stop()
  })

  const logs = async () => `${await machines.logs()}\n${await gantry.logs()}`
  /** Calls of Nova's that changed something in the project of the hosts, by method. */
  const callsAtNova = async (method: 'POST' | 'DELETE') => {
    const log = await readFile(join(cloud.folder, 'log/nova-api.log'), 'utf8')
    return log
      .split('\n')
      .filter((line) => line.includes(world.project.id) && line.includes(`"${method} /v2.1/servers`))
  }

  /** Whoever reads a server's user data later joins with it as nobody. */
  const expectSpent = async (userData: string) => {
    const { write_files: files } = parse(userData) as { write_files: { content: string }[] }
    const folder = await mkdtemp(join(tmpdir(), 'gantry-thief-'))
    const args = ['--join', place, '--state', folder, '--engine', engine.url, '--name', 'thief']
    const env = { GANTRY_JOIN_TOKEN: files[0]?.content.trim() ?? '' }
    const log = join(folder, 'log')
    await expect(launch('apps/agent/src/main.ts', args, env, openSync(log, 'a'))).rejects.toThrow(/ended with 1/)
    expect(await readFile(log, 'utf8')).toMatch(/token.*used/)
    await rm(folder, { recursive: true })
  }

  test('eleven containers at ten to one, one after the other, make two servers; without containers they go', async () => {
    const own = await world.nova.servers.create({ ...world.plain, name: 'of-the-user' }, cloud.context())
    const before = await serversThere()
    const [created, deleted] = [(await callsAtNova('POST')).length, (await callsAtNova('DELETE')).length]
    const began = Date.now()
    const names = Array.from({ length: 11 }, (_, n) => `c${n}`)
    for (const name of names) {
      const body = { name, image: gantry.busyboxId, command: ['sleep', '100000'], memory: '16', cpu: 0.1 }
      const { status, text } = await member.zun('POST', '/containers?run=true', body)
      expect(status, text).toBe(202)
    }
    for (const name of names) {
      const isDone = ({ status }: { status: string }) => status === 'Running' || status === 'Error'
      const { status_reason: reason } = await member.waitFor(name, isDone, 240).catch(async (error: unknown) => {
        throw new Error(await logs(), { cause: error })
      })
      expect(reason, `${name}\n${await logs()}`).toBeNull()
    }
    process.stdout.write(`11 containers on two new servers ran after ${((Date.now() - began) / 1000).toFixed(1)} s\n`)
    const hosts = await Promise.all(
      names.map(async (name) => String((await admin.zun('GET', `/containers/${name}?all_projects=1`)).json['host'])),
    )
    const counts = machines.names().map((machine) => hosts.filter((host) => host === machine).length)
    expect(counts.sort((a, b) => b - a)).toEqual([10, 1])
    await expectSpent(machines.userData(hosts[0] ?? ''))
    const said = await member.zun('POST', '/containers/c10/execute?command=cat%20/proc/1/comm&run=true')
    expect(said.json['output'], said.text).toMatch(/sleep/)

    for (const name of names) await member.zun('DELETE', `/containers/${name}?stop=true&timeout=1`)
    await eventually('the servers to be gone', async () => (await serversThere()).length === before.length, 120)
    expect(await serversThere()).toEqual(before)
    expect(await serversThere()).toContain(own.id)
    expect((await callsAtNova('POST')).length - created).toBe(2)
    expect((await callsAtNova('DELETE')).length - deleted).toBe(2)
    await eventually('their hosts to be forgotten', async () => {
      const { json } = await admin.native('GET', '/hosts')
      return (json['hosts'] as unknown as { name: string }[]).length === 1
    })
  }, 400_000)
})

function aBoot(): Boot {
  const id = randomUUID() as InstanceId
  const name = `gantry-${id.slice(0, 8)}`
  const labels = { 'gantry.containers': '10' }
  return { id, name, projectId: null, token: `gj1.secret-of-${id}`, tokenId: `i-${id.slice(0, 12)}`, labels }
}
