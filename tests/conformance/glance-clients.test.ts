import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busyboxTar } from '../fixtures/busybox-image.ts'
import { runClient } from '../fixtures/client-forks.ts'
import { archiveOf, imageParts, sha256 } from '../fixtures/image-archive.ts'
import { type LoneServer, startLoneServer, type User } from '../fixtures/lone-server.ts'

/** The unmodified command lines of OpenStack: `openstack image`, and glance with either version of its API. */
let server: LoneServer
let demo: User
let other: User
let folder = ''
const parts = imageParts(['library/app:1'])

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-glance-'))
  server = await startLoneServer()
  demo = server.demo
  other = await server.newUser('other')
  await writeFile(join(folder, 'app.tar'), await archiveOf([parts.config, parts.layer, parts.manifest]))
  await writeFile(join(folder, 'late.tar'), await archiveOf([parts.layer, parts.config, parts.manifest]))
  await writeFile(join(folder, 'root.tar'), busyboxTar())
  await writeFile(join(folder, 'disk.img'), Buffer.alloc(100_000, 'disk'))
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  if (folder !== '') await rm(folder, { recursive: true, force: true })
})

interface Ran {
  readonly code: number
  readonly text: string
}

async function run(user: User, program: string, line: string, input?: string): Promise<Ran> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    OS_AUTH_URL: `${server.api}/identity/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: user.name,
    OS_PASSWORD: user.password,
    OS_PROJECT_NAME: user.project,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
  }
  if (program === 'openstack' && input === undefined) {
    const { code, stdout, stderr } = await runClient(program, line.split(' '), { env, cwd: folder })
    return { code, text: `${stdout}${stderr}`.trim() }
  }
  return new Promise((resolve) => {
    const child = execFile(
      program,
      line.split(' '),
      { env, cwd: folder, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
        resolve({ code, text: `${stdout}${stderr}`.trim() })
      },
    )
    if (input === undefined) child.stdin?.end()
    else if (child.stdin) createReadStream(join(folder, input)).pipe(child.stdin)
  })
}

async function ok(user: User, program: string, line: string, input?: string): Promise<string> {
  const { code, text } = await run(user, program, line, input)
  if (code !== 0) throw new Error(`${program} ${line}: ${code}\n${text}`)
  return text
}

const openstack = (line: string, user = demo, input?: string) => ok(user, 'openstack', `image ${line}`, input)
const refused = async (line: string, user = demo) => (await run(user, 'openstack', `image ${line}`)).text
const shown = async (ref: string, user = demo) => JSON.parse(await openstack(`show -f json ${ref}`, user))
/** What the Docker API calls it. */
const dockerNames = async (user: User): Promise<string[]> => {
  const images = (await server.ask('GET', '/docker/v1.41/images/json', { user, headers: projectOf(user) }))
    .json as unknown as { RepoTags: string[] }[]
  return images.flatMap(({ RepoTags }) => RepoTags).toSorted()
}
const projectOf = ({ projectId }: User) => ({ 'x-auth-project-id': projectId })

describe('openstack image', () => {
  test('brings what docker save wrote, and gives it back', { timeout: 120_000 }, async () => {
    await openstack('create --container-format docker --disk-format raw busybox', demo, 'app.tar')
    const image = await shown('busybox')
    expect(image).toMatchObject({ name: 'busybox', status: 'active', visibility: 'shared', container_format: 'docker' })
    expect(await dockerNames(demo)).toContain('busybox:latest')
    expect(await dockerNames(other)).toEqual([])
    await openstack('save --file again.tar busybox')
    await openstack('create --container-format docker --disk-format raw --file again.tar twice')
    await openstack('save --file twice.tar twice')
    const [again, twice] = [await readFile(join(folder, 'again.tar')), await readFile(join(folder, 'twice.tar'))]
    expect(again.includes('busybox:latest')).toBe(true)
    expect(twice.length).toBe(again.length)
    expect(await openstack('list -f value -c Name')).toContain('twice')
  })

  test('a file system becomes an image too, and so does an archive whose index comes last', {
    timeout: 120_000,
  }, async () => {
    await openstack('create --container-format docker --disk-format raw --file root.tar My-Root:2')
    await openstack('create --container-format docker --disk-format raw --file late.tar late:1')
    expect(await shown('My-Root:2')).toMatchObject({ status: 'active' })
    expect(await dockerNames(demo)).toEqual(expect.arrayContaining(['late:1', 'my-root-2:latest']))
  })

  test('disks are kept as they are', { timeout: 120_000 }, async () => {
    await openstack('create --container-format bare --disk-format qcow2 --file disk.img disk')
    const disk = await shown('disk')
    expect(disk).toMatchObject({ status: 'active', size: 100_000 })
    expect(disk.checksum).toMatch(/^[0-9a-f]{32}$/)
    await openstack('save --file disk.out disk')
    expect(sha256(await readFile(join(folder, 'disk.out')))).toBe(sha256(await readFile(join(folder, 'disk.img'))))
    expect(await dockerNames(demo)).not.toContain('disk:latest')
  })

  test('what is said of an image can be changed', { timeout: 120_000 }, async () => {
    await openstack('create --container-format docker --disk-format raw --file app.tar thing')
    await openstack('set --property os_distro=busybox --tag blue --min-ram 64 --protected --name thing:v2 thing')
    const image = await shown('thing:v2')
    expect(image).toMatchObject({ min_ram: 64, protected: true, tags: ['blue'] })
    expect(image.properties).toMatchObject({ os_distro: 'busybox' })
    expect(await dockerNames(demo)).toContain('thing:v2')
    expect(await dockerNames(demo)).not.toContain('thing:latest')
    expect(await refused('delete thing:v2')).toMatch(/protected/)
    await openstack('unset --property os_distro --tag blue thing:v2')
    expect(await shown('thing:v2')).toMatchObject({ tags: [] })
    await openstack('set --unprotected thing:v2')
    await openstack('delete thing:v2')
    expect(await dockerNames(demo)).not.toContain('thing:v2')
    expect(await refused('set --public busybox')).toMatch(/admin/)
  })

  test('shares an image with a project that takes it', { timeout: 120_000 }, async () => {
    await openstack('create --container-format docker --disk-format raw --shared --file app.tar ours')
    const { id } = await shown('ours')
    expect(await refused(`show ${id}`, other)).toMatch(/[Nn]o Image found|could not be found/)
    await openstack(`add project ${id} ${other.projectId}`)
    expect(await openstack('list -f value -c Name', other)).not.toContain('ours')
    await openstack(`set --accept ${id}`, other)
    expect(await openstack('list -f value -c Name', other)).toContain('ours')
    expect(await openstack(`member list -f value ${id}`)).toContain('accepted')
    expect(await dockerNames(other)).toContain('demo/ours:latest')
    expect(await refused(`delete ${id}`, other)).toMatch(/403|not allowed/)
    await openstack(`remove project ${id} ${other.projectId}`)
    expect(await refused(`show ${id}`, other)).toMatch(/[Nn]o Image found|could not be found/)
  })

  test('an administrator makes an image public', { timeout: 120_000 }, async () => {
    await openstack('create --container-format docker --disk-format raw --public --file app.tar open', server.admin)
    expect(await openstack('list -f value -c Name --public', other)).toContain('open')
    expect(await dockerNames(other)).toContain('open:latest')
    expect(await refused('delete open', other)).toMatch(/403|not allowed/)
  })
})

describe('glance', () => {
  const glance = (line: string, user = demo, input?: string) => ok(user, 'glance', line, input)

  test('version 1 uploads as the deck of nova-docker says', { timeout: 120_000 }, async () => {
    const one = '--os-image-api-version 1'
    const create = `${one} image-create --is-public True --container-format docker --disk-format raw`
    expect(await glance(`${create} --name cirros --file app.tar`, server.admin)).toMatch(/\| status +\| active/)
    expect(await glance(`${create} --name piped`, server.admin, 'app.tar')).toMatch(/\| name +\| piped/)
    expect(await glance(`${one} image-list`)).toContain('cirros')
    expect(await glance(`${one} image-show cirros`)).toMatch(/\| is_public +\| True/)
    await glance(`${one} image-download --file v1.tar cirros`)
    expect((await readFile(join(folder, 'v1.tar'))).length).toBeGreaterThan(100_000)
    await glance(`${one} image-delete piped`, server.admin)
    expect(await glance(`${one} image-list`)).not.toContain('piped')
    expect(await dockerNames(other)).toContain('cirros:latest')
    expect((await run(demo, 'glance', `${create} --name no --file app.tar`)).text).toMatch(/403|admin/)
  })

  test('version 2 does all of it', { timeout: 120_000 }, async () => {
    await glance('image-create --name two --container-format docker --disk-format raw --file app.tar')
    const { id } = await shown('two')
    expect(await glance('image-list --property-filter nothing=x')).not.toContain('two')
    expect(await glance(`image-show ${id}`)).toMatch(/\| status +\| active/)
    await glance(`image-update --property a=b ${id}`)
    await glance(`image-tag-update ${id} red`)
    expect(await glance('image-list --tag red')).toContain('two')
    await glance(`image-tag-delete ${id} red`)
    await glance(`image-update --visibility shared ${id}`)
    await glance(`member-create ${id} ${other.projectId}`)
    expect(await glance(`member-list --image-id ${id}`)).toContain('pending')
    await glance(`member-update ${id} ${other.projectId} accepted`, other)
    expect(await glance('image-list', other)).toContain('two')
    await glance(`member-delete ${id} ${other.projectId}`)
    await glance(`image-download --file v2.tar ${id}`)
    await glance(`image-delete ${id}`)
    expect((await run(demo, 'glance', `image-show ${id}`)).code).not.toBe(0)
  })
})
