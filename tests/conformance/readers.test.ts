import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LoneServer, startLoneServer, type User } from '../fixtures/lone-server.ts'
import { zunCapsuleRoutes, zunRegistryRoutes, zunRoutes } from './zun-routes.ts'

let server: LoneServer
let reader: User

beforeAll(async () => {
  server = await startLoneServer()
  reader = await server.newUser('looker', 'reader')
  const member = await colleagueOf(reader)
  const body = JSON.stringify({ image: 'busybox', name: 'web' })
  const headers = { 'content-type': 'application/json' }
  const made = await server.ask('POST', '/container/v1/containers', { user: member, headers, body })
  expect(made.status).toBe(202)
})
afterAll(() => server[Symbol.asyncDispose]())

/** Another user, who is a member of the same project. */
async function colleagueOf({ project, projectId }: User): Promise<User> {
  const { name, password } = await server.newUser('member')
  const own = await server.logIn(name, password, name)
  const list = (await server.ask('GET', '/identity/v3/roles?name=member', { user: server.admin })).json
  const [role] = list['roles'] as unknown as { id: string }[]
  const who = (
    await server.ask('GET', '/identity/v3/auth/tokens', {
      user: server.admin,
      headers: { 'x-subject-token': own.token },
    })
  ).json as unknown as { token: { user: { id: string } } }
  const path = `/identity/v3/projects/${projectId}/users/${who.token.user.id}/roles/${role?.id}`
  expect((await server.ask('PUT', path, { user: server.admin })).status).toBe(204)
  return server.logIn(name, password, project)
}

async function asked(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const { status, text } = await server.ask(method, path, {
    user: reader,
    headers: {
      'x-auth-project-id': reader.project,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status, text }
}

test('in Zun’s API a reader looks, and is told why she may do nothing else', async () => {
  const said: string[] = []
  for (const { method, path, query, body, version = '1.40' } of [
    ...zunRoutes,
    ...zunCapsuleRoutes,
    ...zunRegistryRoutes,
  ]) {
    const url = `/container/v1${path.replace('{ref}', 'web')}${query ? `?${query}` : ''}`
    const { status } = await asked(method, url, body, { 'openstack-api-version': `container ${version}` })
    const changesNothing = method === 'PATCH' && JSON.stringify(body) === '{}'
    const isLook = changesNothing || (method === 'GET' && !path.endsWith('/attach'))
    if ((status === 403) === isLook) said.push(`${method} ${path}: ${status}`)
  }
  expect(said).toEqual([])
  expect((await asked('GET', '/container/v1/containers')).status).toBe(200)
  const refused = await asked('POST', '/container/v1/containers', { image: 'busybox', name: 'other' })
  expect(refused).toMatchObject({
    status: 403,
    text: expect.stringContaining('your only role is reader in project looker'),
  })
})

test.each([
  ['POST', '/v1/networks', { name: 'n' }],
  ['POST', '/v1/volumes', { name: 'v', size: 1 }],
  ['PATCH', '/v1/volumes/v', { size: 2 }],
  ['POST', '/v1/backups', { volume: 'v' }],
  ['POST', '/v1/containers', { image: 'busybox' }],
  ['DELETE', '/v1/containers/web', undefined],
  ['POST', '/image/v2/images', { name: 'x', container_format: 'docker', disk_format: 'raw' }],
  ['POST', '/docker/v1.41/containers/web/start', undefined],
  ['POST', '/docker/v1.41/containers/web/rename?name=other', undefined],
  ['DELETE', '/docker/v1.41/containers/web?force=1', undefined],
  ['POST', '/docker/v1.41/networks/create', { Name: 'n' }],
  ['POST', '/docker/v1.41/images/prune', undefined],
])('%s %s is refused to a reader', async (method, path, body) => {
  const { status, text } = await asked(method, path, body)
  expect({ status, says: text.includes('one may only look') }).toEqual({ status: 403, says: true })
})

test.each([
  '/v1/networks',
  '/v1/volumes',
  '/v1/backups',
  '/v1/containers',
  '/v1/images',
  '/image/v2/images',
  '/docker/v1.41/containers/json?all=1',
  '/docker/v1.41/networks',
  '/docker/v1.41/volumes',
  '/docker/v1.41/images/json',
  '/docker/v1.41/info',
  '/docker/v1.41/system/df',
])('GET %s is answered', async (path) => {
  expect(await asked('GET', path)).toMatchObject({ status: 200 })
})
