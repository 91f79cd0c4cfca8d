import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { allOf, imageService, networkService, volumeService } from '@gantry/openstack'
import { startPostgres, type TestPostgres } from '@gantry/store/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Session, ZunContainer } from '../fixtures/gantry.ts'
import type { Part } from '../fixtures/parts.ts'
import { type SecondServer, secondServer } from '../fixtures/second-server.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'
import { eachOf, expectClear, randomFrom, whileDying } from './fixtures/while-dying.ts'

/** Two servers beside one real OpenStack, on one PostgreSQL, with one host. SEED repeats a run's moments. */

const many = Number(process.env['GANTRY_MANY'] ?? 12)
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const random = randomFrom(seed)

let cloud: TestCloud
let postgres: TestPostgres
let database: pg.Client
let gantry: GantryOnCloud
let second: SecondServer
let project: TestProject
let networkId: string
/** The project's member, at either server. */
let sessions: readonly [Session, Session]

beforeAll(async () => {
  cloud = await testCloud()
  postgres = await startPostgres()
  const url = await postgres.database()
  const onIt = ['--database', url]
  gantry = await gantryOnCloud(cloud, { serverArgs: onIt })
  second = secondServer(gantry, [...onIt, '--openstack', gantry.settings])
  await second.start()
  database = new pg.Client({ connectionString: url })
  await database.connect()
  project = await cloud.newProject()
  sessions = [await gantry.as(project.member), await second.as(cloud.env(project.member))]
  const network = networkService(cloud.session(project.member))
  networkId = (await network.networks.create({ name: 'many' }, cloud.context())).id
  const subnet = { network_id: networkId, ip_version: 4, cidr: '10.68.0.0/24', enable_dhcp: false } as const
  await network.subnets.create(subnet, cloud.context())
})
afterAll(async () => {
  await second?.kill9()
  await gantry?.[Symbol.asyncDispose]()
  await database?.end()
  await postgres?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})

test('the server of the host is killed in the middle of creates, the other in the middle of deletes: all is done once', async () => {
  const names = Array.from({ length: many }, (_, at) => `both-${at}`)
  const created = await whileDying(
    names,
    (name) => create(name, by(name)),
    () => dieWithHost(gantry.server),
    random,
  )
  expectClear(created, 202, seed)
  const acknowledged = names.filter((name) => created.get(name)?.status === 202)
  const [, other] = sessions
  await eventually('all that was acknowledged to run', async () => {
    const there = await containers(other)
    const running = there.filter(({ status }) => status === 'Running').map(({ name }) => name)
    if (acknowledged.every((name) => running.includes(name)) && running.length === there.length) return true
    throw new Error(`seed ${seed}: ${states(there)}`)
  })
  expect(acknowledged.length, `seed ${seed}`).toBeGreaterThan(0)
  await expectOnePortEach()

  await gantry.server.start()
  const [first] = sessions
  const there = (await containers(first)).map(({ name }) => name)
  const remove = (name: string) => by(name).zun('DELETE', `/containers/${name}?stop=true`)
  expectClear(await whileDying(there, remove, () => dieWithHost(second), random), 204, seed)
  await eventually('all containers to be gone', async () => {
    const left = await containers(first)
    await eachOf(left, ({ name }) => first.zun('DELETE', `/containers/${name}?stop=true`).then(() => undefined))
    if (left.length === 0) return true
    throw new Error(`seed ${seed}: ${states(left)}`)
  })
  await second.start()
  await expectNothingLeft()
}, 240_000)

test('of what is committed while the server of the host dies, Glance has each image whole, or does not have it', async () => {
  const [, other] = sessions
  const made = await create('both-1', other)
  expect(made.status, made.text).toBe(202)
  await other.waitFor('both-1', ({ status }) => status === 'Running')
  const names = Array.from({ length: 4 }, (_, at) => `image-${at}`)
  const commit = (name: string) => by(name).zun('POST', `/containers/both-1/commit?repository=${name}&tag=1`)
  const committed = await whileDying(names, commit, () => dieWithHost(gantry.server), random)
  expectClear(committed, 202, seed)
  expect(
    [...committed.values()].some((answer) => answer?.status === 202),
    `seed ${seed}`,
  ).toBe(true)
  await gantry.server.start()
  // What was announced and never named is nobody's once it is old.
  await cloud.sql('glance', `UPDATE images SET created_at = created_at - INTERVAL 1 HOUR WHERE owner = '${project.id}'`)
  await eventually(
    'each image to be at both, or at none',
    async () => {
      const { rows } = await database.query("select id, state from exchanged_images where origin = 'made'")
      const there = await allOf(imageService(cloud.adminSession).list({ owner: project.id }, cloud.context()))
      const ids = there.map(({ id }) => id)
      const isWhole = rows.every(({ state }) => state === 'done') && there.every(({ status }) => status === 'active')
      const named = rows.map(({ id }) => String(id)).toSorted()
      if (isWhole && named.join() === ids.map(String).toSorted().join()) return true
      throw new Error(
        `seed ${seed}: ${JSON.stringify(rows)}; ${there.map(({ id, status }) => `${id} ${status}`).join()}`,
      )
    },
    120,
  )
  expect((await other.zun('DELETE', '/containers/both-1?stop=true')).status).toBe(204)
  await eventually('it to be gone', async () => (await containers(other)).length === 0)
}, 240_000)

test('ports that one server keeps ready make room for the other’s containers, and keep no network from being deleted', async () => {
  const network = networkService(cloud.session(project.member))
  const neutron = networkService(cloud.adminSession)
  const short = (await network.networks.create({ name: 'short' }, cloud.context())).id
  await network.subnets.create({ network_id: short, ip_version: 4, cidr: '10.69.0.0/24' }, cloud.context())
  const [first, other] = sessions
  const run = async (name: string, at: Session) => {
    const body = { name, image: 'busybox', command: ['sleep', '100000'], cpu: 0.1, memory: '32' }
    const { status, text } = await at.zun('POST', '/containers?run=true', { ...body, nets: [{ network: short }] })
    expect(status, text).toBe(202)
    await other.waitFor(name, (container) => container.status === 'Running')
  }
  const spares = async (count: number) =>
    eventually(`${count} ports to be ready`, async () => {
      const found = (await ports()).filter(({ name, network_id: on }) => name === 'gantry-spare' && on === short)
      return found.length >= count
    })
  await run('short-0', first)
  await spares(1)
  await neutron.setQuota(project.id, { port: (await projectPorts()).length }, cloud.context())
  await run('short-1', other)
  await neutron.setQuota(project.id, { port: 100 }, cloud.context())
  await run('short-2', first)
  await spares(1)
  for (const name of ['short-0', 'short-1', 'short-2']) {
    expect((await other.zun('DELETE', `/containers/${name}?stop=true`)).status).toBe(204)
  }
  await eventually('all containers to be gone', async () => (await containers(other)).length === 0)
  // However long Neutron takes to delete them.
  const waiting = await database.query('select id from cloud_ports where network_id = $1 and leaving = 0', [short])
  expect(waiting.rows).toEqual([])
  await eventually('the network to go', async () => network.networks.remove(short, cloud.context()).then(() => true))
})

test('what is nobody’s is swept once, though both servers sweep', async () => {
  const { rows } = await database.query("select value from settings where key = 'deployment'")
  const mark = `gantry ${rows[0]?.value}`
  const stray = {
    network_id: networkId,
    description: mark,
    device_owner: 'compute:kuryr',
    device_id: randomUUID(),
    project_id: project.id,
  }
  const network = networkService(cloud.adminSession)
  const ids: string[] = []
  for (let at = 0; at < 5; at += 1) ids.push((await network.ports.create(stray, cloud.context())).id)
  await Promise.all([gantry.server.kill9(), second.kill9()])
  await Promise.all([gantry.server.start(), second.start()])
  const told = async () => {
    const names = ['server.log', 'second.log']
    const logs = await Promise.all(names.map((name) => readFile(join(gantry.home, name), 'utf8')))
    const lines = logs.flatMap((log) => log.split('\n')).filter((line) => /(removed from|stays at) Neutron/.test(line))
    return ids.map((id) => lines.filter((line) => line.includes(id)).length)
  }
  await expect.poll(async () => (await told()).every((times) => times > 0), { timeout: 60_000 }).toBe(true)
  expect(await told()).toEqual(ids.map(() => 1))
  expect((await ports()).filter(({ id }) => ids.includes(id))).toEqual([])
})

const by = (name: string): Session => sessions[Number(name.split('-')[1]) % 2 === 0 ? 0 : 1] ?? sessions[0]

/** Every third with a volume of its own. */
function create(name: string, at: Session) {
  const hasVolume = Number(name.split('-')[1]) % 3 === 0
  return at.zun('POST', '/containers?run=true', {
    name,
    image: 'busybox',
    image_driver: 'glance',
    command: ['sleep', '100000'],
    cpu: 0.1,
    memory: '32',
    nets: [{ network: networkId }],
    ...(hasVolume && { mounts: [{ size: '1', destination: '/data' }] }),
  })
}

/** It is the one that the host hangs on, or the test shows less than it says. */
async function dieWithHost(server: Part): Promise<void> {
  const { rows } = await database.query('select host_sessions.server_id from host_sessions where server_id is not null')
  expect(rows).toHaveLength(1)
  await server.kill9()
  await eventually('the host to hang on the other server', async () => {
    const now = await database.query('select server_id from host_sessions where server_id is not null')
    return now.rows[0]?.server_id !== undefined && now.rows[0].server_id !== rows[0]?.server_id
  })
}

async function containers(at: Session): Promise<readonly ZunContainer[]> {
  const { status, text } = await at.zun('GET', '/containers?limit=1000')
  if (status !== 200) throw new Error(`${status} ${text}`)
  return (JSON.parse(text) as { containers: ZunContainer[] }).containers
}

function states(of: readonly ZunContainer[]): string {
  return of.map(({ name, status, status_reason: why }) => `${name} ${status} ${why ?? ''}`).join('; ')
}

async function projectPorts() {
  return allOf(networkService(cloud.adminSession).ports.list({ project_id: project.id }, cloud.context()))
}

async function ports() {
  return (await projectPorts()).filter(({ device_owner: owner }) => owner === 'compute:kuryr')
}

/** A start does not wait for it; what waits for a next container, or was made for one that nobody wrote, is in none of these. */
async function expectOnePortEach(): Promise<void> {
  const ids = (await containers(sessions[1])).map(({ uuid }) => uuid)
  await expect
    .poll(
      async () => {
        const owners = (await ports()).map(({ device_id: id = '' }) => id)
        return owners.filter((id) => ids.includes(id)).toSorted()
      },
      { timeout: 30_000 },
    )
    .toEqual(ids.toSorted())
}

/** What a dead server had begun is made old enough to be nobody's, and a server starts, which sweeps. */
async function expectNothingLeft(): Promise<void> {
  for (const table of ['cloud_ports', 'cloud_holders', 'cloud_attachments', 'cloud_volumes']) {
    await database.query(`update ${table} set created_at = created_at - 3600000`)
  }
  await second.kill9()
  await second.start()
  const admin = cloud.adminSession
  const volumes = volumeService(admin)
  const mine = { all_tenants: true, project_id: project.id }
  await eventually('everything at the services to be gone', async () => {
    const left = {
      ports: (await ports()).map(({ id, name }) => `${id} ${name}`),
      volumes: (await allOf(volumes.volumes.list(mine, cloud.context()))).map(({ id, status }) => `${id} ${status}`),
      attachments: (await allOf(volumes.attachments.list(mine, cloud.context()))).map(({ id }) => id),
      images: (await allOf(imageService(admin).list({ owner: project.id }, cloud.context()))).map(({ id }) => id),
      engine: await gantry.engine.docker('ps', '--all', '--format', '{{.Names}}'),
    }
    if (Object.values(left).every(({ length }) => length === 0)) return true
    throw new Error(`seed ${seed}: ${JSON.stringify(left)}`)
  })
  // A row goes once its service was seen to have nothing, and after a pause where that could not be asked at first.
  for (const table of ['cloud_ports', 'cloud_holders', 'cloud_attachments', 'cloud_volumes', 'server_duties']) {
    await expect
      .poll(async () => (await database.query(`select * from ${table}`)).rows, {
        timeout: 90_000,
        message: `seed ${seed}: ${table}`,
      })
      .toEqual([])
  }
}
