import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type Credential, logInBody } from './credential.ts'
import { OpenStackError } from './openstack-error.ts'
import { kinds } from './service-kind.ts'
import { context, json, password, type SmallCloud, smallCloud, tokenBody, tokenLifeMs } from './testing/small-cloud.ts'

const ports = (small: SmallCloud, session = small.session()) =>
  session.ask(kinds.network, { method: 'GET', path: '/ports' }, context())

describe('logging in', () => {
  const user = { id: 'u1' }
  const cases: [string, Exclude<Credential, { kind: 'given-token' }>, unknown][] = [
    [
      'password, project',
      {
        kind: 'password',
        user,
        password: 'x',
        scope: { kind: 'project', project: { name: 'p', domain: { name: 'D' } } },
      },
      {
        identity: { methods: ['password'], password: { user: { id: 'u1', password: 'x' } } },
        scope: { project: { name: 'p', domain: { name: 'D' } } },
      },
    ],
    [
      'trust',
      { kind: 'password', user, password: 'x', scope: { kind: 'trust', trustId: 't' } },
      {
        identity: { methods: ['password'], password: { user: { id: 'u1', password: 'x' } } },
        scope: { 'OS-TRUST:trust': { id: 't' } },
      },
    ],
    [
      'application credential',
      { kind: 'application-credential', id: 'a', secret: 's' },
      { identity: { methods: ['application_credential'], application_credential: { id: 'a', secret: 's' } } },
    ],
    [
      'application credential by name',
      { kind: 'application-credential', id: { name: 'n', user }, secret: 's' },
      { identity: { methods: ['application_credential'], application_credential: { name: 'n', user, secret: 's' } } },
    ],
    [
      'token, domain',
      { kind: 'token', token: 't', scope: { kind: 'domain', domain: { id: 'd' } } },
      { identity: { methods: ['token'], token: { id: 't' } }, scope: { domain: { id: 'd' } } },
    ],
    [
      'token, system',
      { kind: 'token', token: 't', scope: { kind: 'system' } },
      { identity: { methods: ['token'], token: { id: 't' } }, scope: { system: { all: true } } },
    ],
    [
      'token, unscoped',
      { kind: 'token', token: 't', scope: { kind: 'unscoped' } },
      { identity: { methods: ['token'], token: { id: 't' } }, scope: 'unscoped' },
    ],
  ]
  test.each(cases)('by %s', (_, credential, auth) => {
    expect(logInBody(credential)).toEqual({ auth })
  })

  test('happens once for all who need it at the same time, and not again while the token is good', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    const session = small.session()
    await Promise.all([1, 2, 3, 4].map(() => ports(small, session)))
    small.clock.passes(tokenLifeMs / 2)
    await ports(small, session)
    expect(small.logIns()).toHaveLength(1)
    expect(small.calls().map(({ headers }) => headers['x-auth-token'])).toEqual(Array(5).fill('token-1'))
  })

  test('goes on for the others when one of them gives up', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    const session = small.session()
    const impatient = AbortSignal.abort(new Error('gave up'))
    const late = new AbortController()
    const first = session.info({ signal: late.signal })
    late.abort(new Error('gave up later'))
    await expect(first).rejects.toThrow('gave up later')
    await expect(session.info({ signal: impatient })).rejects.toThrow('gave up')
    expect((await session.info(context())).user.name).toBe('demo')
    expect(small.logIns()).toHaveLength(1)
  })

  test('that fails when nobody waits for it any more harms nobody', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    small.keystone = (_, response) => json(response, 500, {})
    await expect(small.session().info({ signal: AbortSignal.abort(new Error('gave up')) })).rejects.toThrow('gave up')
    await expect.poll(() => small.notes.at(-1)?.status).toBe(500)
  })

  test('with the wrong password is an error in the words of Keystone, without the password', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    small.keystone = (_, response) =>
      json(
        response,
        401,
        { error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' } },
        { 'x-openstack-request-id': 'req-keystone' },
      )
    const error = await ports(small).catch((error: unknown) => error)
    expect(error).toMatchObject({ failure: 'answer', service: 'identity', status: 401, answeredId: 'req-keystone' })
    expect(String(error)).toContain('requires authentication')
    expect(small.logIns()).toHaveLength(1)
    expect(inspect([error, small.notes], { depth: 9 })).not.toContain('very-secret')
  })

  test.each([
    ['without a token', (response: Parameters<typeof json>[0]) => json(response, 201, tokenBody(0, []))],
    [
      'that is not JSON',
      (response: Parameters<typeof json>[0]) => response.writeHead(201, { 'x-subject-token': 'x' }).end('<p>'),
    ],
  ])('answered by something %s is an error', async (_, answer) => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    small.keystone = (_, response) => answer(response)
    await expect(ports(small)).rejects.toMatchObject({ failure: 'unreadable', service: 'identity' })
  })
})

describe('a token that ends', () => {
  test('is replaced beside the calls, shortly before', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    const session = small.session()
    await ports(small, session)
    small.clock.passes(tokenLifeMs - 200_000)
    await ports(small, session)
    expect(small.calls().at(-1)?.headers['x-auth-token']).toBe('token-1')
    await expect.poll(() => session.token(context())).toBe('token-2')
  })

  test('is used to its end while Keystone is away, and then the error says so', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    const session = small.session()
    await ports(small, session)
    small.keystone = (_, response) => json(response, 503, { error: { message: 'down for a moment' } })
    small.clock.passes(tokenLifeMs - 200_000)
    await ports(small, session)
    await ports(small, session)
    small.clock.passes(190_000)
    await expect(ports(small, session)).rejects.toMatchObject({
      service: 'identity',
      status: 503,
      reason: 'down for a moment',
    })
  })

  test('by the clock of a Keystone that is hours off lives as long as it says', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    small.keystone = (_, response) =>
      json(response, 201, tokenBody(small.clock.now() - 9_000_000, catalog(small)), { 'x-subject-token': 'off' })
    const session = small.session()
    await ports(small, session)
    small.clock.passes(tokenLifeMs - 320_000)
    await ports(small, session)
    expect(small.logIns()).toHaveLength(1)
  })
})

describe('a token that is refused', () => {
  const strict =
    (good: () => string) => (asked: { headers: Record<string, unknown> }, response: Parameters<typeof json>[0]) =>
      asked.headers['x-auth-token'] === good()
        ? json(response, 200, { ok: true })
        : json(response, 401, { error: { code: 401, message: 'no such token' } })

  test('is replaced once, and the call is made again, whatever its method', async () => {
    const state = { good: 'token-1' }
    await using small = await smallCloud(strict(() => state.good))
    const session = small.session()
    await ports(small, session)
    state.good = 'token-2'
    const answer = await session.ask(kinds.network, { method: 'POST', path: '/ports', json: { port: {} } }, context())
    expect(answer.status).toBe(200)
    expect(small.calls().map(({ method, headers }) => [method, headers['x-auth-token']])).toEqual([
      ['GET', 'token-1'],
      ['POST', 'token-1'],
      ['POST', 'token-2'],
    ])
  })

  test('by many calls at once is replaced by one log-in', async () => {
    const state = { good: 'token-1' }
    await using small = await smallCloud(strict(() => state.good))
    const session = small.session()
    await ports(small, session)
    state.good = 'token-2'
    await Promise.all([1, 2, 3, 4, 5].map(() => ports(small, session)))
    expect(small.logIns()).toHaveLength(2)
  })

  test('and whose successor is refused too is an error', async () => {
    await using small = await smallCloud(strict(() => 'none'))
    await expect(ports(small)).rejects.toMatchObject({ failure: 'answer', service: 'network', status: 401 })
    expect(small.calls()).toHaveLength(2)
  })

  test('of a user is not replaced: nobody else may act for her', async () => {
    await using small = await smallCloud(strict(() => 'none'))
    small.keystone = (_, response) => json(response, 200, tokenBody(small.clock.now(), catalog(small)))
    const session = small.session({ kind: 'given-token', token: 'hers' })
    await expect(ports(small, session)).rejects.toMatchObject({ status: 401 })
    const [asked, ...more] = small.logIns()
    expect(asked).toMatchObject({ method: 'GET', url: '/identity/v3/auth/tokens' })
    expect(asked?.headers).toMatchObject({ 'x-auth-token': 'hers', 'x-subject-token': 'hers' })
    expect(more).toEqual([])
    expect(small.calls()).toHaveLength(1)
  })
})

test("a user's token that was validated already needs no call of Keystone", async () => {
  await using small = await smallCloud((_, response) => json(response, 200, {}))
  const info = await small.session().info(context())
  await ports(small, small.session({ kind: 'given-token', token: 'hers', info }))
  expect(small.logIns()).toHaveLength(1)
  expect(small.calls()[0]?.headers['x-auth-token']).toBe('hers')
})

describe('request ids', () => {
  test('are carried both ways', async () => {
    await using small = await smallCloud((_, response) =>
      json(
        response,
        409,
        { NeutronError: { type: 'IpAddressInUse', message: 'in use', detail: '' } },
        { 'x-openstack-request-id': 'req-theirs' },
      ),
    )
    const asked = { signal: new AbortController().signal, requestId: 'req-ours' }
    const error = await small
      .session()
      .ask(kinds.network, { method: 'POST', path: '/ports', json: {}, query: { secret: 'x' } }, asked)
      .catch((error: unknown) => error)
    expect(small.calls()[0]?.headers['x-openstack-request-id']).toBe('req-ours')
    expect(error).toBeInstanceOf(OpenStackError)
    expect(error).toMatchObject({ answeredId: 'req-theirs', code: 'IpAddressInUse' })
    expect(String(error)).toBe('OpenStackError: network POST /ports answered 409: in use (req-theirs)')
    expect(small.notes.at(-1)).toMatchObject({
      requestId: 'req-ours',
      answeredId: 'req-theirs',
      status: 409,
      path: '/network/v2.0/ports',
    })
    expect(inspect([error, small.notes], { depth: 9 })).not.toMatch(/token-\d|secret/)
  })

  test('are made for who brings none', async () => {
    await using small = await smallCloud((_, response) => json(response, 200, {}))
    await ports(small)
    expect(small.calls()[0]?.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
  })
})

test('a password is not shown by who holds a session', async () => {
  await using small = await smallCloud((_, response) => json(response, 200, {}))
  const session = small.session(password)
  await session.info(context())
  expect(inspect(session, { depth: 9 })).not.toMatch(/very-secret|token-1/)
})

function catalog({ url }: SmallCloud): object[] {
  return [{ type: 'network', endpoints: [{ interface: 'public', url: `${url}/network/v2.0` }] }]
}
