import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { parseChallenges } from './challenge.ts'
import { createUpstream, type RunningUpstream } from './index.ts'
import { sendError, sendJson, sendManifest, type TestServer, testServer } from './testing/test-server.ts'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const signal = new AbortController().signal
const content = Buffer.from('{"schemaVersion":2}')
const login = { username: 'puller', password: 'päss:wörd-4711' }
const basic = `Basic ${Buffer.from('puller:päss:wörd-4711').toString('base64')}`

const opened: RunningUpstream[] = []
function upstream(): RunningUpstream {
  const made = createUpstream({ mayConnect: () => true, log })
  opened.push(made)
  return made
}
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

interface Service {
  /** Tokens that the registry takes; the service gives the last. */
  readonly valid: string[]
  readonly refuse?: (request: IncomingMessage, response: ServerResponse) => boolean
}

/** A registry with a token service at the same address: `/token`. */
function tokenServer({ valid, refuse = () => false }: Service): Promise<TestServer> {
  return testServer((request, response) => {
    if (request.url?.startsWith('/token') === true) {
      if (!refuse(request, response)) sendJson(response, 200, { token: valid.at(-1) })
    } else if (valid.some((token) => request.headers.authorization === `Bearer ${token}`)) {
      if (request.url === '/v2/') response.end('{}')
      else sendManifest(response, content)
    } else {
      const realm = `http://${request.headers.host}/token`
      sendError(response, 401, 'UNAUTHORIZED', 'authentication required', {
        'www-authenticate': `Bearer realm="${realm}",service="registry, of tests",scope="repository:a:pull"`,
      })
    }
  })
}

test('a token is fetched for the repository and kept until it is refused', async () => {
  const valid = ['t1']
  await using server = await tokenServer({ valid })
  const registry = upstream()
  const at = { domain: server.domain, path: 'team/app' }
  for (const tag of ['1', '2']) await registry.manifest(at, tag, login, signal)
  const query = 'service=registry%2C+of+tests&scope=repository%3Ateam%2Fapp%3Apull&account=puller'
  expect(server.asked).toEqual([
    'GET /v2/team/app/manifests/1 -',
    `GET /token?${query} ${basic}`,
    'GET /v2/team/app/manifests/1 Bearer t1',
    'GET /v2/team/app/manifests/2 Bearer t1',
  ])
  valid.splice(0, 1, 't2')
  await registry.manifest(at, '3', login, signal)
  expect(server.asked.slice(4)).toEqual([
    'GET /v2/team/app/manifests/3 Bearer t1',
    `GET /token?${query} ${basic}`,
    'GET /v2/team/app/manifests/3 Bearer t2',
  ])
})

test('nobody comes in with the token of another', async () => {
  await using server = await tokenServer({ valid: ['t1'] })
  const registry = upstream()
  const at = { domain: server.domain, path: 'a' }
  await registry.manifest(at, '1', login, signal)
  for (const other of [null, { ...login, password: 'x' }]) {
    server.asked.length = 0
    await registry.manifest(at, '1', other, signal)
    expect(server.asked[0]).toBe('GET /v2/a/manifests/1 -')
    expect(server.asked).toHaveLength(3)
  }
})

test('a login that is not taken is told in the words of who refused it, and without the password', async () => {
  await using server = await tokenServer({
    valid: ['t1'],
    refuse: (_request, response) => {
      sendJson(response, 401, { details: 'incorrect username or password' })
      return true
    },
  })
  const failed = { code: 'registry.login', message: 'incorrect username or password' }
  await expect(upstream().logIn(server.domain, login, signal)).rejects.toMatchObject(failed)
  await expect(upstream().manifest({ domain: server.domain, path: 'a' }, 'b', login, signal)).rejects.toMatchObject(
    failed,
  )
})

test('a token that does not help is no endless loop', async () => {
  await using server = await testServer((request, response) => {
    const realm = `http://${request.headers.host}/token`
    if (request.url?.startsWith('/token') === true) sendJson(response, 200, { access_token: 'weak' })
    else
      sendError(response, 401, 'DENIED', 'requested access is denied', {
        'www-authenticate': `Bearer realm="${realm}"`,
      })
  })
  await expect(upstream().manifest({ domain: server.domain, path: 'a' }, 'b', null, signal)).rejects.toMatchObject({
    code: 'registry.login',
    message: 'denied: requested access is denied',
  })
  expect(server.asked).toHaveLength(3)
})

test('a log-in is tried at the registry each time', async () => {
  await using server = await testServer((request, response) => {
    if (request.headers.authorization === basic) return response.end('{}')
    return sendError(response, 401, 'UNAUTHORIZED', 'wrong', { 'www-authenticate': 'Basic realm="r"' })
  })
  const registry = upstream()
  for (let turn = 0; turn < 2; turn += 1) {
    expect(await registry.logIn(server.domain, login, signal)).toBe('Login Succeeded')
  }
  expect(server.asked).toEqual(['GET /v2/ -', `GET /v2/ ${basic}`, 'GET /v2/ -', `GET /v2/ ${basic}`])
  await expect(registry.logIn(server.domain, { ...login, password: 'x' }, signal)).rejects.toMatchObject({
    code: 'registry.login',
    message: 'unauthorized: wrong',
  })
})

test('a token service without sense is refused', async () => {
  for (const challenge of ['Bearer', 'Bearer realm="file:///etc/passwd"', 'Bearer realm="//"', 'Negotiate']) {
    await using server = await testServer((_request, response) =>
      sendError(response, 401, 'UNAUTHORIZED', 'no', { 'www-authenticate': challenge }),
    )
    await expect(
      upstream().manifest({ domain: server.domain, path: 'a' }, 'b', login, signal),
      challenge,
    ).rejects.toMatchObject({ name: 'Fault', code: expect.stringMatching(/^registry\.(refused|login)$/) })
  }
})

test('challenges are read as they are written', () => {
  expect(parseChallenges('Bearer realm="https://a/t?x=1,2",service=reg , scope="a \\"b\\""')).toEqual([
    { scheme: 'bearer', parameters: { realm: 'https://a/t?x=1,2', service: 'reg', scope: 'a "b"' } },
  ])
  expect(parseChallenges(['Basic realm="x"', 'Bearer realm="y"']).map(({ scheme }) => scheme)).toEqual([
    'basic',
    'bearer',
  ])
  expect(parseChallenges('realm="x"')).toEqual([])
  expect(parseChallenges(undefined)).toEqual([])
})
