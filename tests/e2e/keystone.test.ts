import { afterAll, beforeAll, expect, test } from 'vitest'
import { runClient } from '../fixtures/client-forks.ts'
import { type IdentityServer, identityServer } from '../fixtures/identity-server.ts'

/** The unmodified `openstack` client against the embedded identity service. Each call of it takes a second or two. */
let server: IdentityServer

beforeAll(async () => {
  server = await identityServer()
})
afterAll(() => server[Symbol.asyncDispose]())

type Settings = Readonly<Record<string, string>>

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function environment(name: string, password = server.passwordOf(name)): Settings {
  return {
    OS_AUTH_URL: server.authUrl,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: name,
    OS_PASSWORD: password,
    OS_PROJECT_NAME: name,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
  }
}

function openstack(settings: Settings, args: string): Promise<Said> {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: 'C.UTF-8', ...settings }
  return runClient('openstack', args.split(' '), { env })
}

async function succeed(settings: Settings, args: string): Promise<string> {
  const said = await openstack(settings, args)
  expect(said, `openstack ${args}`).toMatchObject({ code: 0 })
  return said.stdout.trim()
}

async function json<T>(settings: Settings, args: string): Promise<T> {
  return JSON.parse(await succeed(settings, `${args} -f json`)) as T
}

test('log-in and catalog', async () => {
  const demo = environment('demo')
  const token = await json<{ id: string; project_id: string }>(demo, 'token issue')
  const catalog = await json<{ Name: string; Type: string }[]>(demo, 'catalog list')
  expect(catalog.map(({ Type }) => Type).toSorted()).toEqual(['container', 'docker', 'identity', 'image'])

  await succeed(demo, `token revoke ${token.id}`)
  const gone = {
    OS_AUTH_TYPE: 'v3token',
    OS_TOKEN: token.id,
    OS_AUTH_URL: server.authUrl,
    OS_PROJECT_ID: token.project_id,
  }
  expect(await openstack(gone, 'token issue')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('revoked'),
  })
  expect(await openstack(environment('demo', 'wrong'), 'token issue')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('was not accepted'),
  })
})

test('projects, users and roles', async () => {
  const admin = environment('admin')
  const made = await json<{ id: string; enabled: boolean }>(admin, 'project create --description first alpha')
  await succeed(admin, 'project set --name beta --disable alpha')
  const shown = await json<{ id: string; enabled: boolean }>(admin, 'project show beta')
  expect([made.enabled, shown.enabled, shown.id]).toEqual([true, false, made.id])
  const projects = (await succeed(admin, 'project list -f value -c Name')).split('\n')
  expect(projects.toSorted()).toEqual(['admin', 'beta', 'demo', 'service'])

  await succeed(admin, 'user create --password one --email ann@example.org ann')
  await succeed(admin, 'user set --password two ann')
  expect(await json(admin, 'user show ann')).toMatchObject({ name: 'ann', email: 'ann@example.org', enabled: true })
  expect(await succeed(admin, 'user list -f value -c Name')).toContain('ann')
  const ann = { ...environment('ann', 'two'), OS_PROJECT_NAME: 'demo' }
  expect(await openstack(ann, 'token issue')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('User ann has no access to project demo.'),
  })
  await succeed(admin, 'role add --project demo --user ann member')
  expect(await succeed(admin, 'role list -f value -c Name')).toContain('member')
  const grants = 'role assignment list --project demo --names -f value -c Role -c User -c Project'
  expect((await succeed(admin, grants)).split('\n').toSorted()).toEqual([
    'member ann@Default demo@Default',
    'member demo@Default demo@Default',
  ])
  await succeed(ann, 'token issue')
  await succeed(admin, 'role remove --project demo --user ann member')
  expect((await openstack(ann, 'token issue')).code).toBe(1)
  await succeed(admin, 'project delete beta')
  expect(await openstack(admin, 'project show beta')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("'beta' exists"),
  })
})

test('the catalog’s parts', async () => {
  const admin = environment('admin')
  expect(await succeed(admin, 'domain list -f value -c ID -c Name')).toBe('default Default')
  const services = (await succeed(admin, 'service list -f value -c Name -c Type')).split('\n')
  expect(services.toSorted()).toEqual(['gantry-docker docker', 'glance image', 'keystone identity', 'zun container'])
  const urls = (await succeed(admin, 'endpoint list --interface public -f value -c URL')).split('\n')
  expect(urls.toSorted()).toEqual([
    `${server.base}/container/v1`,
    `${server.base}/docker`,
    `${server.base}/identity/v3`,
    `${server.base}/image`,
  ])
})

test('application credentials', async () => {
  const demo = environment('demo')
  const made = await json<{ id: string; secret: string }>(demo, 'application credential create --role member ci')
  expect(await succeed(demo, 'application credential list -f value -c Name')).toBe('ci')
  const machine = {
    OS_AUTH_TYPE: 'v3applicationcredential',
    OS_AUTH_URL: server.authUrl,
    OS_IDENTITY_API_VERSION: '3',
    OS_APPLICATION_CREDENTIAL_ID: made.id,
    OS_APPLICATION_CREDENTIAL_SECRET: made.secret,
  }
  const project = await succeed(demo, 'token issue -f value -c project_id')
  expect(await succeed(machine, 'token issue -f value -c project_id')).toBe(project)
  await succeed(demo, 'application credential delete ci')
  expect((await openstack(machine, 'token issue')).code).toBe(1)
})
