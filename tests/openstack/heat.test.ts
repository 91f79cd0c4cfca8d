import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { networkService } from '@gantry/openstack'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'

/** The database and the web server of the decks, by an unmodified heat-engine and its OS::Zun::Container. */
let cloud: TestCloud
let gantry: GantryOnCloud
let project: TestProject
let folder: string

beforeAll(async () => {
  cloud = await testCloud()
  gantry = await gantryOnCloud(cloud)
  project = await cloud.newProject()
  folder = await mkdtemp('/tmp/gantry-heat-')
  const neutron = networkService(cloud.session(project.member))
  for (const [number, name] of ['private', 'other'].entries()) {
    const { id } = await neutron.networks.create({ name }, cloud.context())
    await neutron.subnets.create({ network_id: id, ip_version: 4, cidr: `10.61.${number}.0/24` }, cloud.context())
  }
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  if (folder) await rm(folder, { recursive: true, force: true })
})

const as = (...args: string[]) => cloud.openstack(project.member, ...args)
const json = async (...args: string[]) => JSON.parse(await as(...args, '-f', 'json')) as Record<string, unknown>

/** JSON is YAML. */
async function templateOf(resources: object, outputs: object = {}): Promise<string> {
  const file = join(folder, `template-${Object.keys(resources).join('-')}.yaml`)
  await writeFile(file, JSON.stringify({ heat_template_version: '2018-08-31', resources, outputs }))
  return file
}

/** `status` and the reason, as soon as Heat has done what it was told. */
async function settled(stack: string): Promise<{ status: string; reason: string }> {
  return await eventually(
    `stack ${stack}`,
    async () => {
      const shown = await json('stack', 'show', stack)
      const status = String(shown['stack_status'])
      return status.endsWith('IN_PROGRESS') ? null : { status, reason: String(shown['stack_status_reason']) }
    },
    150,
  )
}

async function gone(stack: string): Promise<void> {
  await as('stack', 'delete', '--yes', stack)
  await eventually(`no stack ${stack}`, async () => !(await as('stack', 'list', '-f', 'value')).includes(stack), 120)
}

const container = (properties: object) => ({
  type: 'OS::Zun::Container',
  properties: { image: 'busybox', image_driver: 'glance', cpu: 0.1, memory: 64, ...properties },
})
const database = (properties: object = {}) =>
  container({
    command: 'sh -c "while true; do echo kept in the database | nc -l -p 3306; done"',
    networks: [{ network: 'private' }],
    mounts: [{ volume_size: 1, mount_path: '/var/lib/data' }],
    ...properties,
  })
const web = container({
  command: {
    str_replace: {
      template: 'sh -c "until nc $DB 3306 < /dev/null | grep . > /tmp/page; do sleep 1; done; sleep 10000"',
      params: { $DB: { get_attr: ['db', 'addresses', 'private', 0, 'addr'] } },
    },
  },
  networks: [{ network: 'private' }],
})
const outputs = { address: { value: { get_attr: ['db', 'addresses', 'private', 0, 'addr'] } } }

describe('a stack with a database and a web server', () => {
  test('is created, and the one reaches the other at the address that Heat told it', async () => {
    await as('stack', 'create', '-t', await templateOf({ db: database(), web }, outputs), 'shop')
    expect(await settled('shop')).toMatchObject({
      status: 'CREATE_COMPLETE',
      reason: expect.stringContaining('success'),
    })
    const address = (await as('stack', 'output', 'show', 'shop', 'address', '-f', 'value', '-c', 'output_value')).trim()
    expect(address).toMatch(/^10\.61\.0\.\d+$/)
    const id = String((await json('stack', 'resource', 'show', 'shop', 'web'))['physical_resource_id'])
    const page = await eventually('the page', async () => {
      return await as('appcontainer', 'exec', id, 'cat', '/tmp/page').catch(() => null)
    })
    expect(page).toContain('kept in the database')
  })

  test('is updated in place: name, processor, memory, networks', async () => {
    const before = (await json('stack', 'resource', 'show', 'shop', 'db'))['physical_resource_id']
    const changed = database({ name: 'ledger', cpu: 0.2, memory: 96, networks: [{ network: 'other' }] })
    const plain = { db: changed }
    await as('stack', 'update', '-t', await templateOf(plain), 'shop')
    expect(await settled('shop')).toMatchObject({
      status: 'UPDATE_COMPLETE',
      reason: expect.stringContaining('success'),
    })
    const { physical_resource_id: after } = await json('stack', 'resource', 'show', 'shop', 'db')
    expect(after).toBe(before)
    const shown = await json('appcontainer', 'show', String(after))
    expect(shown).toMatchObject({ name: 'ledger', cpu: 0.2, status: 'Running' })
    expect(String(shown['memory'])).toBe('96')
    expect(JSON.stringify(shown['addresses'])).toMatch(/10\.61\.1\./)
    expect(JSON.stringify(shown['addresses'])).not.toMatch(/10\.61\.0\./)
  })

  test('is deleted, and nothing is left at Neutron', async () => {
    await gone('shop')
    expect(await as('appcontainer', 'list', '-f', 'value')).toBe('')
    await eventually('no ports', async () => (await as('port', 'list', '-f', 'value')) === '')
  })
})

test('a container that cannot begin fails its stack, which says why', async () => {
  await as('stack', 'create', '-t', await templateOf({ broken: container({ command: '/no/such/program' }) }), 'broken')
  const { status, reason } = await settled('broken')
  expect(status).toBe('CREATE_FAILED')
  expect(reason).toMatch(/no\/such\/program/)
  await gone('broken')
})
