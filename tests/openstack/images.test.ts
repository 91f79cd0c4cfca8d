import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { allOf, bufferContent, fileContent, type Image, imageService, networkService } from '@gantry/openstack'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import type { Session } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'

/** One image, whoever looks: a real Glance, plain docker and skopeo at the registry, the openstack client, containers. */

let cloud: TestCloud
let gantry: GantryOnCloud
let client: TestEngine
let folder = ''
let archive = ''
let domain = ''

beforeAll(async () => {
  cloud = await testCloud()
  gantry = await gantryOnCloud(cloud)
  client = await startEngine({ network: 'host' })
  await loadBusybox(client.socket)
  folder = await mkdtemp('/tmp/gantry-images-')
  archive = join(folder, 'busybox.tar')
  await client.docker('save', '-o', archive, 'busybox:latest')
  domain = new URL(gantry.api).host
})
afterAll(async () => {
  await client?.stop()
  await gantry?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  if (folder !== '') await rm(folder, { recursive: true, force: true })
})

let project: TestProject
let member: Session
beforeEach(async () => {
  project = await cloud.newProject()
  member = await gantry.as(project.member)
  await client.docker(
    'login',
    '-u',
    `${project.name}/${project.member.username}`,
    '-p',
    project.member.password,
    domain,
  )
})

const glanceOf = (of: TestProject) => imageService(cloud.session(of.member))

async function put(of: TestProject, name: string, fields: object = {}): Promise<Image> {
  const glance = glanceOf(of)
  const form = { container_format: 'docker', disk_format: 'raw', ...fields }
  const { id } = await glance.create({ name, ...form }, cloud.context())
  await glance.upload(id, await fileContent(archive), cloud.context())
  return glance.show(id, cloud.context())
}

/** Glance takes what is before a colon in a filter for an operator. */
async function inGlance(of: TestProject, name: string): Promise<Image[]> {
  const all = await allOf(glanceOf(of).list({ owner: of.id }, cloud.context()))
  return all.filter((image) => image.name === name)
}

function active(of: TestProject, name: string): Promise<Image> {
  return eventually(`${name} at Glance`, async () =>
    (await inGlance(of, name)).find(({ status }) => status === 'active'),
  )
}

async function withNetwork(of: TestProject): Promise<void> {
  const neutron = networkService(cloud.session(of.member))
  const { id } = await neutron.networks.create({ name: 'images' }, cloud.context())
  const subnet = { network_id: id, ip_version: 4, cidr: '10.77.0.0/24' } as const
  await neutron.subnets.create(subnet, cloud.context())
}

function create(who: Session, image: string) {
  return who.zun('POST', '/containers', { image, image_driver: 'glance', command: ['sleep', '1000'] })
}

/** Whether a new container may run it; without a network, which is not what these tests are about. */
async function mayRun(who: Session, image: string): Promise<boolean> {
  const made = await gantry.docker(['create', '--network', 'none', image, 'true'], { session: who })
  if (made.code !== 0) return false
  await gantry.docker(['rm', made.stdout.trim()], { session: who })
  return true
}

async function idOf(engine: TestEngine, name: string): Promise<string> {
  return engine.docker('image', 'inspect', '-f', '{{.Id}}', name)
}

async function pushed(name: string, text: string): Promise<string> {
  const full = `${domain}/${project.name}/${name}`
  const container = await client.docker('create', 'busybox:latest', 'echo', text)
  await client.docker('commit', '-m', text, container, full)
  await client.docker('rm', container)
  await client.docker('push', full)
  return full
}

describe('what is at Glance', () => {
  test('runs by name and by id, once taken, and is pulled from the registry with the id that docker save had', async () => {
    await withNetwork(project)
    const { id } = await put(project, 'app')
    const { json, status, text } = await create(member, 'app')
    expect([status, text]).toEqual([202, expect.stringContaining('Creating')])
    await member.waitFor(json.uuid, (seen) => seen.status === 'Created')
    expect(await mayRun(member, id)).toBe(true)
    const full = `${domain}/${project.name}/app`
    await client.docker('pull', full)
    expect(await idOf(client, full)).toBe(await idOf(client, 'busybox:latest'))
    const one = await gantry.docker(['run', '--rm', '--network', 'none', 'app', 'echo', 'here'], { session: member })
    expect([one.code, one.stdout.trim()]).toEqual([0, 'here'])
  })

  test('is refused with a reason: two of a name, no docker image, nothing in it, another project’s', async () => {
    const other = await cloud.newProject()
    await put(project, 'twice')
    await put(project, 'twice')
    await glanceOf(project).create({ name: 'empty', container_format: 'docker', disk_format: 'raw' }, cloud.context())
    const disk = await glanceOf(project).create(
      { name: 'disk', container_format: 'bare', disk_format: 'raw' },
      cloud.context(),
    )
    await glanceOf(project).upload(disk.id, bufferContent(Buffer.from('disk')), cloud.context())
    const { id: hidden } = await put(other, 'hidden')
    expect((await create(member, 'twice')).status).toBe(409)
    const noDocker = await create(member, 'disk')
    expect([noDocker.status, noDocker.text]).toEqual([400, expect.stringContaining('container format bare')])
    expect((await create(member, 'empty')).text).toContain('no content yet')
    expect((await create(member, hidden)).status).toBe(404)
    expect(await mayRun(member, `${other.name}/hidden`)).toBe(false)
  })

  test('is seen as Glance says: shared, accepted, taken back, made public, renamed, deleted', async () => {
    const other = await cloud.newProject()
    const them = await gantry.as(other.member)
    const { id } = await put(project, 'lent', { visibility: 'shared' })
    const glance = glanceOf(project)
    expect(await mayRun(them, id)).toBe(false)
    await glance.members.add(id, other.id, cloud.context())
    expect(await mayRun(them, id)).toBe(true)
    expect(await mayRun(them, `${project.name}/lent`)).toBe(true)
    await glance.members.remove(id, other.id, cloud.context())
    const again = await gantry.as(other.member)
    expect(await mayRun(again, id)).toBe(false)
    expect(await mayRun(again, `${project.name}/lent`)).toBe(false)

    await glance.update(id, [{ op: 'replace', path: '/name', value: 'mine' }], cloud.context())
    member = await gantry.as(project.member)
    expect(await mayRun(member, 'mine')).toBe(true)
    expect(await mayRun(member, 'lent:latest')).toBe(false)
    await glance.remove(id, cloud.context())
    member = await gantry.as(project.member)
    expect((await create(member, id)).status).toBe(404)
    await expect(client.docker('pull', `${domain}/${project.name}/mine`)).rejects.toThrow(/unknown|not found/)
  })

  test('is fetched again where its content was lost here', async () => {
    const { id } = await put(project, 'lost')
    expect(await mayRun(member, 'lost')).toBe(true)
    await gantry.server.kill9()
    await rm(join(gantry.home, 'images/blobs'), { recursive: true })
    await gantry.server.start()
    member = await gantry.as(project.member)
    expect(await mayRun(member, id)).toBe(true)
    const full = `${domain}/${project.name}/lost`
    await client.docker('pull', full)
    expect(await client.docker('run', '--rm', '--network', 'none', full, 'echo', 'back')).toBe('back')
  })
})

describe('what is made here', () => {
  test('a push is an image of Glance, which plain docker loads with the same id; a moved tag takes the older away', async () => {
    const full = await pushed('team/app:1', 'one')
    const first = await active(project, 'team/app:1')
    expect(first).toMatchObject({
      container_format: 'docker',
      disk_format: 'raw',
      owner: project.id,
      visibility: 'private',
    })
    expect(first['gantry_digest']).toMatch(/^sha256:/)
    const id = await idOf(client, full)
    const file = join(folder, 'saved.tar')
    await cloud.openstack(project.member, 'image', 'save', '--file', file, first.id)
    await client.docker('rmi', full)
    expect(await client.docker('load', '-i', file)).toContain('team/app:1')
    expect(await idOf(client, 'team/app:1')).toBe(id)

    await pushed('team/app:1', 'two')
    await eventually('only the newer', async () => {
      const all = await inGlance(project, 'team/app:1')
      return all.length === 1 && all[0]?.id !== first.id && all[0]?.status === 'active'
    })
    expect(await mayRun(member, 'team/app:1')).toBe(true)
  })

  test('deletes and renames go both ways', async () => {
    await pushed('gone:1', 'gone')
    const { id } = await active(project, 'gone:1')
    await cloud.openstack(project.member, 'image', 'delete', id)
    member = await gantry.as(project.member)
    await expect(client.docker('pull', `${domain}/${project.name}/gone:1`)).rejects.toThrow(/unknown|not found/)
    // The same content comes back under another id.
    await client.docker('push', `${domain}/${project.name}/gone:1`)
    const again = await active(project, 'gone:1')
    expect(again.id).not.toBe(id)
    const removed = await gantry.docker(['rmi', 'gone:1'], { session: member })
    expect([removed.code, removed.stderr]).toEqual([0, ''])
    expect(await inGlance(project, 'gone:1')).toEqual([])
  })

  test('skopeo’s copies and the Docker API’s tags and loads appear; what was pulled from elsewhere does not', async () => {
    const at = `docker://${domain}/${project.name}/copied:1`
    const creds = `${project.name}/${project.member.username}:${project.member.password}`
    await ran('skopeo', ['copy', '--dest-creds', creds, '--dest-tls-verify=false', `docker-archive:${archive}`, at])
    await active(project, 'copied:1')
    const tag = await gantry.docker(['tag', 'copied:1', 'tagged:2'], { session: member })
    expect([tag.code, tag.stderr]).toEqual([0, ''])
    await active(project, 'tagged:2')
    const load = await gantry.docker(['load', '-i', archive], { session: member })
    expect([load.code, load.stderr]).toEqual([0, ''])
    await active(project, 'busybox:latest')
  })

  test('a commit of a container appears, also by the openstack client', async () => {
    await withNetwork(project)
    const made = await member.zun('POST', '/containers?run=true', {
      image: gantry.busyboxId,
      command: ['sleep', '1000'],
    })
    await member.waitFor(made.json.uuid, ({ status }) => status === 'Running')
    const committed = await member.zun('POST', `/containers/${made.json.uuid}/commit?repository=snap&tag=1`)
    expect(committed.status).toBe(202)
    const { id } = await active(project, 'snap:1')
    expect(await cloud.openstack(project.member, 'image', 'show', '-f', 'value', '-c', 'status', id)).toBe('active')
    expect(await mayRun(member, id)).toBe(true)
  })

  test('a server killed in mid-upload sends it after its restart', async () => {
    await ran('sh', ['-c', `head -c 300000000 /dev/urandom > ${folder}/noise`])
    const full = `${domain}/${project.name}/big:1`
    const container = await client.docker('create', 'busybox:latest', 'true')
    await client.docker('cp', join(folder, 'noise'), `${container}:/noise`)
    await client.docker('commit', container, full)
    await client.docker('push', full)
    await eventually('an upload under way', async () => (await inGlance(project, 'big:1'))[0]?.status === 'saving', 20)
    await gantry.server.kill9()
    await gantry.server.start()
    await active(project, 'big:1')
  })

  test('while Glance is away a push is refused, and accepted when it is back', async () => {
    const full = await pushed('away:1', 'away')
    await active(project, 'away:1')
    const other = `${domain}/${project.name}/away:2`
    await client.docker('tag', full, other)
    await cloud.stop('glance-api')
    await expect(client.docker('push', other)).rejects.toThrow(/image service|unavailable|503/)
    await cloud.start('glance-api')
    await client.docker('push', other)
    await active(project, 'away:2')
  })

  test('a reader makes nothing, here or there', async () => {
    const reader = await gantry.as(project.reader)
    const { code } = await gantry.docker(['load', '-i', archive], { session: reader })
    expect(code).not.toBe(0)
    expect(await inGlance(project, 'busybox:latest')).toEqual([])
  })
})

function ran(program: string, args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DOCKER_HOST: client.url,
    REGISTRY_AUTH_FILE: join(folder, 'auth.json'),
  }
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${stderr}`))
      else resolve(stdout.trim())
    })
  })
}
