import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { identityService } from '@gantry/openstack'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Line, lineTo } from '../fixtures/line.ts'
import type { Session } from '../fixtures/gantry.ts'
import { type GantryOnCloud, gantryOnCloud } from './fixtures/gantry-on-cloud.ts'
import { type CloudUser, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'

const run = promisify(execFile)

let cloud: TestCloud
let line: Line
let folder: string
let gantry: GantryOnCloud
let project: TestProject

beforeAll(async () => {
  cloud = await testCloud()
  // Between this server and Keystone only; everybody else reaches it as ever.
  line = await lineTo({ host: '127.0.0.1', port: 5000 })
  folder = await mkdtemp('/tmp/gantry-doors-')
  const own = await cloud.ensureUser('gantry', 'service', ['admin', 'service'])
  const settings = join(folder, 'openstack.yaml')
  const auth = {
    auth_url: `${line.origin}/v3`,
    username: own.username,
    password: own.password,
    project_name: own.project,
  }
  await writeFile(settings, JSON.stringify({ auth, region_name: cloud.region }), { mode: 0o600 })
  gantry = await gantryOnCloud(cloud, { serverArgs: ['--openstack', settings], busybox: false })
  project = await cloud.newProject()
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await line?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

interface Told {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function ask(url: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Told> {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(60_000), ...init })
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}

/** The first page of everything, with a token. */
const doors: readonly (readonly [name: string, knock: (token: string, projectId: string) => Promise<Told>])[] = [
  ['Zun’s API', (token) => ask(`${gantry.api}/container/v1/containers`, { 'x-auth-token': token })],
  ['our own API', (token) => ask(`${gantry.api}/v1/containers`, { 'x-auth-token': token })],
  [
    'the Docker API',
    (token, id) => ask(`${gantry.dockerUrl}/v1.41/containers/json`, { 'x-auth-token': token, 'x-auth-project-id': id }),
  ],
  ['the registry', (token) => ask(`${gantry.api}/v2/_catalog`, { authorization: `Bearer ${token}` })],
]

function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

const registryToken = (username: string, password: string) =>
  ask(`${gantry.api}/v2/token?service=x&scope=repository:${project.name}/app:pull,push`, basic(username, password))

describe.each(doors)('%s', (_name, knock) => {
  const status = async ({ token, projectId }: Pick<Session, 'token' | 'projectId'>) =>
    (await knock(token, projectId)).status

  test('opens to a token of the cloud’s, also a reader’s, and to nothing else', async () => {
    const [member, reader] = [await gantry.as(project.member), await gantry.as(project.reader)]
    expect([await status(member), await status(reader)]).toEqual([200, 200])
    expect(await status({ ...member, token: `${member.token.slice(0, -8)}AAAAAAAA` })).toBe(401)
    expect(await status({ ...member, token: 'x' })).toBe(401)
  })
})

test('who is not logged in is told where Keystone is', async () => {
  const { status, headers } = await ask(`${gantry.api}/container/v1/containers`)
  expect(status).toBe(401)
  expect(headers.get('www-authenticate')).toBe(`Keystone uri="${line.origin}/v3"`)
})

test('a reader changes nothing', async () => {
  const reader = await gantry.as(project.reader)
  expect((await reader.zun('POST', '/containers', { name: 'one', image: 'busybox' })).status).toBe(403)
  expect((await reader.native('POST', '/volumes', { name: 'v', size: 1 })).status).toBe(403)
  const { text } = await registryToken(`${project.name}/${project.reader.username}`, project.reader.password)
  const { token } = JSON.parse(text) as { token: string }
  const authorization = `Bearer ${token}`
  const upload = `${gantry.api}/v2/${project.name}/app/blobs/uploads/`
  expect((await ask(upload, { authorization }, { method: 'POST' })).status).toBe(403)
})

test('docker login takes a password, an application credential and a token', async () => {
  const { member } = project
  const { token } = await gantry.as(member)
  const credential = await newCredential(member)
  const statuses = async (...logins: readonly [string, string][]) => {
    const all: number[] = []
    for (const [username, password] of logins) all.push((await registryToken(username, password)).status)
    return all
  }
  expect(
    await statuses(
      [`${project.name}/${member.username}`, member.password],
      [`${project.name}/${member.username}@Default`, member.password],
      [member.username, member.password],
      [credential.id, credential.secret],
      ['token', token],
    ),
  ).toEqual([200, 200, 200, 200, 200])
  expect(
    await statuses(
      [`${project.name}/${member.username}`, 'wrong'],
      [`admin/${member.username}`, member.password],
      [credential.id, 'wrong'],
      ['token', 'wrong'],
      ['nobody', 'wrong'],
    ),
  ).toEqual([401, 401, 401, 401, 401])
})

test('a client certificate stands for its user until it is revoked', async () => {
  const member = await gantry.as(project.member)
  const [key, request, certificate] = ['key.pem', 'request.pem', 'cert.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await run(
    'openssl',
    ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=me'].concat([
      '-keyout',
      key,
      '-out',
      request,
    ]),
  )
  const csr = await readFile(request, 'utf8')
  const made = await member.native('POST', '/docker/certificates', { csr })
  expect(made.status, made.text).toBe(201)
  const said = made.json as unknown as { certificate: string; serial: string }
  await writeFile(certificate, said.certificate)
  const status = async () => {
    const args = ['-sk', '-o', '/dev/null', '-w', '%{http_code}', '--cert', certificate, '--key', key]
    return (await run('curl', [...args, `${gantry.dockerTlsUrl}/v1.41/containers/json`])).stdout
  }
  expect(await status()).toBe('200')
  expect((await member.native('DELETE', `/docker/certificates/${said.serial}`)).status).toBe(204)
  expect(await status()).toBe('401')
  const left = await cloud.openstack(project.member, 'application', 'credential', 'list', '-f', 'value', '-c', 'Name')
  expect(left).not.toContain('gantry-certificate')
})

test('without Keystone those that it knew lately go on, and the others are told that it is away', async () => {
  const [known, unknown] = [await gantry.as(project.member), await gantry.as(project.reader)]
  for (const [, knock] of doors) expect((await knock(known.token, known.projectId)).status).toBe(200)
  await line.cut()
  try {
    for (const [name, knock] of doors) {
      expect({ name, status: (await knock(known.token, known.projectId)).status }).toEqual({ name, status: 200 })
      const { status, text } = await knock(unknown.token, unknown.projectId)
      expect({ name, status, says: text }).toEqual({
        name,
        status: 503,
        says: expect.stringContaining('The identity service cannot be used at the moment: it does not answer'),
      })
    }
    expect((await registryToken(`${project.name}/${project.member.username}`, project.member.password)).status).toBe(
      503,
    )
  } finally {
    await line.mend()
  }
  for (const [, knock] of doors) {
    await expect.poll(async () => (await knock(unknown.token, unknown.projectId)).status, { timeout: 10_000 }).toBe(200)
  }
})

async function newCredential(user: CloudUser): Promise<{ readonly id: string; readonly secret: string }> {
  const session = cloud.session(user)
  const { user: who } = await session.info(cloud.context())
  const made = await identityService(session).appCredentials(who.id).create({ name: 'laptop' }, cloud.context())
  return { id: made.id, secret: made.secret ?? '' }
}
