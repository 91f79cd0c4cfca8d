import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  allOf,
  bufferContent,
  type Cloud,
  type CallNote,
  type Context,
  type Credential,
  fileContent,
  identityService,
  imageService,
  networkService,
  openCloud,
  streamContent,
} from '@gantry/openstack'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { archiveOf, imageParts } from '../fixtures/image-archive.ts'
import { type LoneServer, startLoneServer, type User } from '../fixtures/lone-server.ts'

let server: LoneServer
let cloud: Cloud
const notes: CallNote[] = []
const within: Context = { signal: new AbortController().signal }
const domain = { name: 'Default' }

beforeAll(async () => {
  server = await startLoneServer()
  cloud = await openCloud({ authUrl: `${server.api}/identity`, seen: (note) => notes.push(note) })
})
afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

const passwordOf = ({ name, password, project }: User): Credential => ({
  kind: 'password',
  user: { name, domain },
  password,
  scope: { kind: 'project', project: { name: project, domain } },
})
const archive = async () => {
  const parts = imageParts(['app:1'])
  return archiveOf([parts.config, parts.layer, parts.manifest])
}
const docker = { container_format: 'docker', disk_format: 'raw' } as const

describe('identity', () => {
  test('a log-in by password says who, where and what there is', async () => {
    const info = await cloud.session(passwordOf(server.demo)).info(within)
    expect(info.project?.id).toBe(server.demo.projectId)
    expect(info.roles?.map(({ name }) => name)).toContain('member')
    expect(info.catalog?.map(({ type }) => type)).toEqual(expect.arrayContaining(['identity', 'image', 'container']))
  })

  test('a wrong password is refused', async () => {
    const wrong = cloud.session(passwordOf({ ...server.demo, password: 'wrong' }))
    await expect(wrong.info(within)).rejects.toMatchObject({ service: 'identity', status: 401 })
  })

  test('an application credential, another scope of a token, and a token as it is', async () => {
    const { json, status } = await server.ask('GET', '/identity/v3/auth/tokens', {
      user: server.demo,
      headers: { 'x-subject-token': server.demo.token },
    })
    expect(status).toBe(200)
    const { token } = json as unknown as { token: { user: { id: string } } }
    const made = await server.ask('POST', `/identity/v3/users/${token.user.id}/application_credentials`, {
      user: server.demo,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ application_credential: { name: 'robot' } }),
    })
    const { application_credential: robot } = made.json as unknown as {
      application_credential: { id: string; secret: string }
    }
    const sessions = [
      cloud.session({ kind: 'application-credential', id: robot.id, secret: robot.secret }),
      cloud.session({
        kind: 'token',
        token: server.demo.token,
        scope: { kind: 'project', project: { id: server.demo.projectId } },
      }),
      cloud.session({ kind: 'given-token', token: server.demo.token }),
    ]
    for (const session of sessions) expect((await session.info(within)).project?.name).toBe('demo')
  })

  test('tokens are validated, revoked, and replaced in the middle of work', async () => {
    const admin = identityService(cloud.session(passwordOf(server.admin)))
    const session = cloud.session(passwordOf(server.demo))
    const images = imageService(session)
    await allOf(images.list({}, within))
    const token = await session.token(within)
    expect((await admin.validate(token, within))?.user.name).toBe('demo')
    expect(await admin.revoke(token, within)).toBe(true)
    expect(await admin.validate(token, within)).toBeNull()
    await allOf(images.list({}, within))
    expect(await session.token(within)).not.toBe(token)
    const gone = imageService(cloud.session({ kind: 'given-token', token }))
    await expect(allOf(gone.list({}, within))).rejects.toMatchObject({ status: 401 })
  })

  test('users, projects, roles and grants', async () => {
    const admin = identityService(cloud.session(passwordOf(server.admin)))
    const project = await admin.projects.create({ name: 'made', domain_id: 'default' }, within)
    const user = await admin.users.create({ name: 'made', password: 'pw-made-8fQ1', domain_id: 'default' }, within)
    const [role] = await allOf(admin.roles.list({ name: 'member' }, within))
    const grant = { projectId: project.id, userId: user.id, roleId: role?.id ?? '' }
    await admin.grant(grant, within)
    await admin.grant(grant, within)
    expect((await allOf(admin.grants(grant, within))).map(({ name }) => name)).toEqual(['member'])
    const made = { ...server.demo, name: 'made', password: 'pw-made-8fQ1', project: 'made' }
    expect((await cloud.session(passwordOf(made)).info(within)).project?.id).toBe(project.id)
    expect(await admin.ungrant(grant, within)).toBe(true)
    expect(await admin.users.remove(user.id, within)).toBe(true)
    expect(await admin.users.remove(user.id, within)).toBe(false)
    expect((await allOf(admin.projects.list({ name: 'made' }, within))).map(({ id }) => id)).toEqual([project.id])
    await admin.projects.remove(project.id, within)
    await expect(admin.projects.show(project.id, within)).rejects.toMatchObject({ status: 404 })
  })
})

describe('images', () => {
  test('are created, uploaded, downloaded, changed and deleted', async () => {
    const images = imageService(cloud.session(passwordOf(server.demo)))
    const image = await images.create({ name: 'app', ...docker, own: 'property' }, within)
    expect(image).toMatchObject({ status: 'queued', own: 'property' })
    expect(await images.download(image.id, within)).toBeNull()
    const content = await archive()
    await images.upload(image.id, bufferContent(content), within)
    expect(await images.show(image.id, within)).toMatchObject({ status: 'active', owner: server.demo.projectId })
    const data = await images.download(image.id, within)
    const bytes = data ? await buffer(data.body) : Buffer.alloc(0)
    expect(bytes.length).toBe(data?.bytes ?? bytes.length)
    expect(bytes.includes('manifest.json')).toBe(true)
    const patched = await images.update(image.id, [{ op: 'replace', path: '/name', value: 'app2' }], within)
    expect(patched.name).toBe('app2')
    await images.addTag(image.id, 'stable', within)
    expect((await images.show(image.id, within)).tags).toEqual(['stable'])
    expect(await images.removeTag(image.id, 'stable', within)).toBe(true)
    expect(await images.removeTag(image.id, 'stable', within)).toBe(false)
    expect(await images.remove(image.id, within)).toBe(true)
    expect(await images.remove(image.id, within)).toBe(false)
    await expect(images.show(image.id, within)).rejects.toMatchObject({ service: 'image', status: 404 })
  })

  test('from a file, in both directions byte for byte', async () => {
    const folder = await mkdtemp('/tmp/gantry-openstack-')
    try {
      const disk = randomBytes(8 * 1024 * 1024)
      await writeFile(join(folder, 'disk'), disk)
      const images = imageService(cloud.session(passwordOf(server.demo)))
      const image = await images.create({ name: 'disk', container_format: 'bare', disk_format: 'raw' }, within)
      await images.upload(image.id, await fileContent(join(folder, 'disk')), within)
      const sums = { checksum: createHash('md5').update(disk).digest('hex'), size: disk.length }
      expect(await images.show(image.id, within)).toMatchObject({ status: 'active', ...sums })
      const data = await images.download(image.id, within)
      expect(data?.bytes).toBe(disk.length)
      expect(data && (await buffer(data.body)).equals(disk)).toBe(true)
      await images.remove(image.id, within)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test("of a stream that breaks off are not there, and the reason is the stream's", async () => {
    const images = imageService(cloud.session(passwordOf(server.demo)))
    const image = await images.create({ name: 'broken', container_format: 'bare', disk_format: 'raw' }, within)
    const source = Readable.from(
      (function* () {
        yield Buffer.alloc(100_000)
        throw new Error('the disk is gone')
      })(),
    )
    await expect(images.upload(image.id, streamContent(source), within)).rejects.toThrow('the disk is gone')
    await expect.poll(async () => (await images.show(image.id, within)).status).not.toBe('active')
    await images.remove(image.id, within)
  })

  test('are listed page by page', async () => {
    const user = await server.newUser('pager')
    const images = imageService(cloud.session(passwordOf(user)))
    const made = await Promise.all(
      Array.from({ length: 23 }, (_, n) => images.create({ name: `image-${n}`, ...docker }, within)),
    )
    notes.length = 0
    const listed = await allOf(images.list({ limit: 5, owner: user.projectId }, within))
    expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(made.map(({ id }) => id)))
    expect(listed).toHaveLength(23)
    expect(notes.filter(({ path }) => path.endsWith('/images')).length).toBeGreaterThanOrEqual(5)
  })

  test('are shared with another project', async () => {
    const other = await server.newUser('other')
    const images = imageService(cloud.session(passwordOf(server.demo)))
    const theirs = imageService(cloud.session(passwordOf(other)))
    const image = await images.create({ name: 'shared', ...docker, visibility: 'shared' }, within)
    expect((await images.members.add(image.id, other.projectId, within)).status).toBe('pending')
    expect((await theirs.members.decide(image.id, other.projectId, 'accepted', within)).status).toBe('accepted')
    expect((await allOf(images.members.list(image.id, within))).map(({ member_id }) => member_id)).toEqual([
      other.projectId,
    ])
    expect((await theirs.show(image.id, within)).id).toBe(image.id)
    expect(await images.members.remove(image.id, other.projectId, within)).toBe(true)
    await expect(theirs.show(image.id, within)).rejects.toMatchObject({ status: 404 })
  })
})

test('ids of requests come back, and nothing secret is noted', async () => {
  const images = imageService(cloud.session(passwordOf(server.demo)))
  notes.length = 0
  const requestId = 'req-11111111-2222-4333-8444-555555555555'
  const missing = images.show('11111111-2222-4333-8444-666666666666', { ...within, requestId })
  await expect(missing).rejects.toMatchObject({ answeredId: expect.stringMatching(/^req-/), status: 404 })
  expect(notes.at(-1)).toMatchObject({ requestId, service: 'image', status: 404 })
  expect(JSON.stringify(notes)).not.toContain(server.demo.password)
})

test('a cloud without a service is told apart from one that fails', async () => {
  const network = networkService(cloud.session(passwordOf(server.demo)))
  await expect(allOf(network.ports.list({}, within))).rejects.toMatchObject({ failure: 'unfit', service: 'network' })
})

test('a killed server is waited for', async () => {
  const images = imageService(cloud.session(passwordOf(server.demo)))
  await allOf(images.list({}, within))
  await server.kill9()
  const patient = await openCloud({
    authUrl: `${server.api}/identity`,
    patience: { tries: 60, baseMs: 200, maxMs: 500, mostAskedMs: 1000 },
  })
  await using _ = patient
  const listed = allOf(imageService(patient.session(passwordOf(server.demo))).list({}, within))
  await server.start()
  expect(Array.isArray(await listed)).toBe(true)
})

test('TLS is trusted by its CA file, and otherwise only if told', async () => {
  await using secure = await startLoneServer({ listen: '0.0.0.0:0' })
  const authUrl = `https://127.0.0.1:${new URL(secure.api).port}/identity`
  const infoWith = async (options: { caFile?: string; insecure?: boolean }) => {
    await using cloud = await openCloud({
      authUrl,
      patience: { tries: 1, baseMs: 1, maxMs: 1, mostAskedMs: 1 },
      ...options,
    })
    return (await cloud.session(passwordOf(secure.demo)).info(within)).user.name
  }
  await expect(infoWith({})).rejects.toMatchObject({ failure: 'unreachable' })
  expect(await infoWith({ caFile: join(secure.home, 'ca/ca.pem') })).toBe('demo')
  expect(await infoWith({ insecure: true })).toBe('demo')
  await expect(infoWith({ caFile: '/nowhere.pem' })).rejects.toMatchObject({ code: 'machine.unfit' })
})
