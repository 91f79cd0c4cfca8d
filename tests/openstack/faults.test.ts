import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { allOf, imageService, networkService } from '@gantry/openstack'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Session, ZunContainer } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'
import { type Answers, eachOf, expectClear, pause, randomFrom, whileDying } from './fixtures/while-dying.ts'

/**
 * SIGKILL to one process in the middle of thirty creates, and again of thirty deletes. What was acknowledged must come about, and
 * afterwards nothing is left over: no port, no image, no interface, no container of the engine's. SEED repeats a run's moments.
 */

const run = promisify(execFile)
const many = Number(process.env['GANTRY_MANY'] ?? 30)
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const random = randomFrom(seed)

let cloud: TestCloud
let gantry: GantryOnCloud
let project: TestProject
let member: Session
let networkId: string

beforeAll(async () => {
  cloud = await testCloud()
  gantry = await gantryOnCloud(cloud)
})
beforeEach(async () => {
  // What one death leaves behind must not be mistaken for another's.
  project = await cloud.newProject()
  member = await gantry.as(project.member)
  const network = networkService(cloud.session(project.member))
  networkId = (await network.networks.create({ name: 'faults' }, cloud.context())).id
  const subnet = { network_id: networkId, ip_version: 4, cidr: '10.67.0.0/24', enable_dhcp: false } as const
  await network.subnets.create(subnet, cloud.context())
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})

/** What dies, and how it comes back. */
const victims: Readonly<Record<string, { kill9(): Promise<void>; start(): Promise<void> }>> = {
  server: { kill9: () => gantry.server.kill9(), start: () => gantry.server.start() },
  agent: { kill9: () => gantry.agent.kill9(), start: () => gantry.agent.start() },
  'neutron-server': { kill9: () => cloud.kill9('neutron-server'), start: () => cloud.start('neutron-server') },
  rabbitmq: { kill9: () => cloud.kill9('rabbitmq'), start: () => cloud.start('rabbitmq') },
}

test.each(Object.keys(victims))(
  `kill -9 of %s in the middle of ${many} creates and as many deletes loses nothing and leaves nothing`,
  { timeout: 400_000 },
  async (victim) => {
    const death = async () => {
      await victims[victim]?.kill9()
      await pause(random() * 1000)
      await victims[victim]?.start()
    }
    const names = Array.from({ length: many }, (_, at) => `${victim}-${at}`)
    const create = (name: string) =>
      member.zun('POST', '/containers?run=true', {
        name,
        image: 'busybox',
        command: ['sleep', '100000'],
        cpu: 0.1,
        memory: '32',
        nets: [{ network: networkId }],
      })
    const created = await whileDying(names, create, death, random)
    expectClear(created, 202, seed)
    const acknowledged = names.filter((name) => created.get(name)?.status === 202)
    expect(acknowledged.length, told(created)).toBeGreaterThan(0)
    await eventually(
      'everything that was acknowledged to run',
      async () => {
        const there = await containers()
        const running = new Set(there.filter(({ status }) => status === 'Running').map(({ name }) => name))
        if (acknowledged.every((name) => running.has(name)) && running.size === there.length) return true
        throw new Error(`seed ${seed}: ${states(there)}`)
      },
      150,
    )

    const there = (await containers()).map(({ name }) => name)
    const remove = (name: string) => member.zun('DELETE', `/containers/${name}?stop=true`)
    const deleted = await whileDying(there, remove, death, random)
    expectClear(deleted, 204, seed)
    await eventually(
      'all containers to be gone',
      async () => {
        const left = await containers()
        // Whoever had no answer asks again.
        const unasked = left.filter(({ name }) => deleted.get(name)?.status !== 204)
        await eachOf(unasked, ({ name }) => member.zun('DELETE', `/containers/${name}?stop=true`).then(() => undefined))
        if (left.length === 0) return true
        throw new Error(`seed ${seed}: ${states(left)}`)
      },
      120,
    )
    await expectNothingLeft()
  },
)

test('without Keystone, who was known goes on, who was not gets a 503 that says why, and all is well when it is back', async () => {
  const stranger = await gantry.as(project.reader)
  const known = () => member.zun('GET', '/containers')
  expect((await known()).status).toBe(200)
  await cloud.kill9('keystone')
  try {
    expect((await known()).status).toBe(200)
    const refused = await stranger.zun('GET', '/containers')
    expect(refused.status, refused.text).toBe(503)
    expect(refused.text).toContain('The identity service cannot be used at the moment')
    const docker = await gantry.docker(['ps'], { session: stranger })
    expect(docker.code).not.toBe(0)
    expect(docker.stderr).toContain('The identity service cannot be used at the moment')
  } finally {
    await cloud.start('keystone')
  }
  await eventually('the stranger to be known', async () => (await stranger.zun('GET', '/containers')).status === 200)
  expect((await known()).status).toBe(200)
})

/** After whatever a dead server had begun at Neutron is old enough to be nobody's. */
async function expectNothingLeft(): Promise<void> {
  await cloud.sql(
    'neutron',
    `UPDATE standardattributes SET created_at = created_at - INTERVAL 1 HOUR WHERE id IN
      (SELECT standard_attr_id FROM ports WHERE project_id = '${project.id}')`,
  )
  await gantry.server.kill9()
  await gantry.server.start()
  const network = networkService(cloud.adminSession)
  await eventually(
    'ports of nobody to be removed',
    async () => {
      const ports = await allOf(network.ports.list({ project_id: project.id }, cloud.context()))
      if (ports.length === 0) return true
      throw new Error(`seed ${seed}: ${ports.map(({ id, device_id }) => `${id} of ${device_id}`).join(', ')}`)
    },
    120,
  )
  expect(await allOf(imageService(cloud.adminSession).list({ owner: project.id }, cloud.context()))).toEqual([])
  await eventually(
    'interfaces and containers of nobody to go',
    async () => {
      const known = new Set((await allOf(network.ports.list({}, cloud.context()))).map(({ id }) => id.slice(0, 11)))
      const { stdout } = await run('ip', ['-brief', 'link'])
      const links = stdout.split('\n').map((line) => line.split(/[@\s]/)[0] ?? '')
      const strays = links.filter(
        (link) => link.startsWith('gc') || (link.startsWith('tap') && !known.has(link.slice(3))),
      )
      const engines = await gantry.engine.docker('ps', '--all', '--format', '{{.Names}}')
      if (strays.length === 0 && engines === '') return true
      throw new Error(`seed ${seed}: ${strays.join(' ')}; ${engines}`)
    },
    60,
  )
}

async function containers(): Promise<readonly ZunContainer[]> {
  const { status, text } = await member.zun('GET', '/containers?limit=1000')
  if (status !== 200) throw new Error(`${status} ${text}`)
  return (JSON.parse(text) as { containers: ZunContainer[] }).containers
}

function states(of: readonly ZunContainer[]): string {
  return of.map(({ name, status, status_reason: why }) => `${name} ${status} ${why ?? ''}`).join('; ')
}

function told(answers: Answers): string {
  return `seed ${seed}: ${[...answers].map(([name, answer]) => `${name} ${answer?.status} ${answer?.text}`).join('\n')}`
}
