import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LoneServer, startLoneServer, type User } from '../fixtures/lone-server.ts'

/** How clients log in: a user name and a password, whatever stands behind them. */
let server: LoneServer
let demo: User
let other: User
beforeAll(async () => {
  server = await startLoneServer()
  demo = server.demo
  other = await server.newUser('other')
})
afterAll(async () => server?.[Symbol.asyncDispose]())

const scope = 'repository:demo/app:pull,push'

function basic(username: string, password: string) {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

const logIn = (username: string, password: string, wanted: string | null = scope) =>
  server.ask('GET', `/v2/token?service=x${wanted === null ? '' : `&scope=${wanted}`}`, {
    headers: basic(username, password),
  })

/** What a token may do in demo/app: begin an upload, or read. */
async function mayPush(token: unknown): Promise<number> {
  const headers = { authorization: `Bearer ${String(token)}` }
  return (await server.ask('POST', '/v2/demo/app/blobs/uploads/', { headers })).status
}

async function keystone(user: User, method: string, path: string, body?: unknown) {
  return server.ask(method, `/identity/v3${path}`, {
    user,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

async function userIdOf(user: User): Promise<string> {
  const told = await server.ask('GET', '/identity/v3/auth/tokens', { user, headers: { 'x-subject-token': user.token } })
  return (told.json as unknown as { token: { user: { id: string } } }).token.user.id
}

describe('a log-in', () => {
  test('is by user and password, by a token, or by a user in a named project', async () => {
    for (const [username, password] of [
      ['demo', demo.password],
      ['demo/demo', demo.password],
      [`${demo.projectId}/demo`, demo.password],
      ['demo@Default', demo.password],
      ['demo/demo@Default', demo.password],
      [await userIdOf(demo), demo.password],
      ['token', demo.token],
    ] as const) {
      const told = await logIn(username, password)
      expect([username, told.status]).toEqual([username, 200])
      expect(told.json).toMatchObject({ expires_in: expect.any(Number), issued_at: expect.stringMatching(/^2/) })
      expect([username, await mayPush(told.json['token'])]).toEqual([username, 202])
    }
  })

  test('is by an application credential, which ends with it', async () => {
    const userId = await userIdOf(demo)
    const path = `/users/${userId}/application_credentials`
    const made = await keystone(demo, 'POST', path, { application_credential: { name: 'ci' } })
    const { application_credential: ci } = made.json as unknown as {
      application_credential: { id: string; secret: string }
    }
    const told = await logIn(ci.id, ci.secret)
    expect(told.status).toBe(200)
    expect(await mayPush(told.json['token'])).toBe(202)
    expect((await keystone(demo, 'DELETE', `${path}/${ci.id}`)).status).toBe(204)
    expect(await mayPush(told.json['token'])).toBe(401)
    expect((await logIn(ci.id, ci.secret)).status).toBe(401)
  })

  test('works without a scope, as docker login does', async () => {
    const told = await logIn('demo', demo.password, null)
    const headers = { authorization: `Bearer ${String(told.json['token'])}` }
    expect((await server.ask('GET', '/v2/', { headers })).status).toBe(200)
    expect((await server.ask('GET', '/v2/demo/app/tags/list', { headers })).status).toBe(401)
  })

  test('is for the project of the repository, when the user has a role there', async () => {
    const [userId, roles] = [await userIdOf(other), await keystone(server.admin, 'GET', '/roles?name=member')]
    const [role] = (roles.json as unknown as { roles: { id: string }[] }).roles
    const grant = `/projects/${demo.projectId}/users/${userId}/roles/${role?.id}`
    const before = await logIn('other', other.password)
    expect(await mayPush(before.json['token'])).toBe(403)
    expect((await keystone(server.admin, 'PUT', grant)).status).toBe(204)
    const told = await logIn('other', other.password)
    expect(await mayPush(told.json['token'])).toBe(202)
    expect((await keystone(server.admin, 'DELETE', grant)).status).toBe(204)
    expect(await mayPush(told.json['token'])).toBe(401)
  })

  test('is by OAuth2 too', async () => {
    const post = (form: Record<string, string>) =>
      server.ask('POST', '/v2/token', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ service: 'x', client_id: 'test', scope, ...form }).toString(),
      })
    const told = await post({ grant_type: 'password', username: 'demo', password: demo.password })
    expect([told.status, told.json['scope'], told.json['token_type']]).toEqual([200, scope, 'Bearer'])
    expect(await mayPush(told.json['access_token'])).toBe(202)
    const refreshed = await post({ grant_type: 'refresh_token', refresh_token: demo.token })
    expect(await mayPush(refreshed.json['access_token'])).toBe(202)
    expect((await post({ grant_type: 'client_credentials' })).status).toBe(400)
    expect((await post({ grant_type: 'password', username: 'demo' })).status).toBe(400)
  })
})

test('nobody is served without one, and what is wrong is said in the shape of the spec', async () => {
  for (const [headers, status] of [
    [{}, 401],
    [basic('demo', 'wrong'), 401],
    [basic('nobody', 'wrong'), 401],
    [basic('nobody/demo', demo.password), 401],
    [basic('token', 'nonsense'), 401],
    [{ authorization: 'Basic !!!' }, 401],
  ] as const) {
    const told = await server.ask('GET', `/v2/token?scope=${scope}`, { headers })
    expect([headers, told.status]).toEqual([headers, status])
    expect(told.json['errors']).toEqual([{ code: 'UNAUTHORIZED', message: expect.any(String), detail: null }])
  }
  for (const token of ['', 'nonsense', 'Z2FudHJ5', `${demo.token}x`]) {
    const told = await server.ask('GET', '/v2/', { headers: { authorization: `Bearer ${token}` } })
    expect(told.status).toBe(401)
  }
  expect((await server.ask('GET', '/v1/search?q=x')).status).toBe(401)
  expect((await server.ask('GET', '/v1/_ping')).status).toBe(200)
})

test('revoking a token ends an upload that is under way', async () => {
  const { projectId: _projectId, ...user } = await server.logIn('demo', demo.password, 'demo')
  const issued = await logIn('token', user.token)
  const headers = {
    authorization: `Bearer ${String(issued.json['token'])}`,
    'content-type': 'application/octet-stream',
  }
  const begun = await server.ask('POST', '/v2/demo/app/blobs/uploads/', { headers })
  const call = request(new URL(String(begun.headers['location']), server.api), { method: 'PATCH', headers })
  call.write('the beginning')
  const cut = once(call, 'error')
  await new Promise((resolve) => setTimeout(resolve, 300))
  const revoked = await server.ask('DELETE', '/identity/v3/auth/tokens', {
    headers: { 'x-auth-token': user.token, 'x-subject-token': user.token },
  })
  expect(revoked.status).toBe(204)
  await cut
  expect(await mayPush(issued.json['token'])).toBe(401)
})

test('guessing is slowed down', async () => {
  await server.newUser('victim')
  let last = 0
  for (let tries = 0; tries < 8 && last !== 429; tries += 1) last = (await logIn('victim', `guess ${tries}`)).status
  expect(last).toBe(429)
  const told = await logIn('victim', 'pw-victim-x7Kq2')
  expect([told.status, Number(told.headers['retry-after']) > 0]).toEqual([429, true])
})
