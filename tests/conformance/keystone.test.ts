import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type IdentityServer, identityServer } from '../fixtures/identity-server.ts'

let server: IdentityServer
let admin: string
let demo: string

beforeAll(async () => {
  server = await identityServer()
  admin = await tokenOf('admin')
  demo = await tokenOf('demo')
  await call('POST', '/v3/users', admin, { user: { name: 'fuzz', password: 'fuzz' } })
})
afterAll(() => server[Symbol.asyncDispose]())

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

async function call(method: Method, path: string, token: string | null, body?: unknown, headers = {}) {
  const response = await server.app.inject({
    method,
    url: `/identity${path}`,
    headers: {
      ...(token !== null && { 'x-auth-token': token }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  })
  return { status: response.statusCode, headers: response.headers, text: response.body, json: () => response.json() }
}

function passwordBody(name: string, password = server.passwordOf(name), scope?: unknown) {
  const user = { name, domain: { id: 'default' }, password }
  return { auth: { identity: { methods: ['password'], password: { user } }, ...(scope !== undefined && { scope }) } }
}

async function tokenOf(name: string, scope?: unknown): Promise<string> {
  const { headers } = await call('POST', '/v3/auth/tokens', null, passwordBody(name, undefined, scope))
  return String(headers['x-subject-token'])
}

function expectError(response: Awaited<ReturnType<typeof call>>, status: number) {
  expect(response.status, response.text).toBe(status)
  expect(response.json()).toEqual({
    error: { code: status, message: expect.stringMatching(/\w/), title: expect.stringMatching(/^[A-Z]/) },
  })
  expect(response.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
}

describe('documents', () => {
  test.each(['', '/'])('versions at /identity%s', async (slash) => {
    const response = await call('GET', slash, null)
    expect(response.status).toBe(300)
    expect(response.json().versions.values).toMatchObject([{ id: 'v3.14', status: 'stable' }])
  })

  test.each(['/v3', '/v3/'])('version at /identity%s, with links to where it was asked', async (path) => {
    const response = await call('GET', path, null, undefined, {
      host: 'cloud.example:8443',
      'x-forwarded-proto': 'https',
    })
    expect(response.json().version.links[0].href).toBe('https://cloud.example:8443/identity/v3/')
  })

  test('the catalog points to where it was asked', async () => {
    const { json } = await call('GET', '/v3/auth/catalog', demo, undefined, { host: 'cloud.example' })
    const urls = json().catalog.flatMap((entry: { endpoints: { url: string }[] }) =>
      entry.endpoints.map(({ url }) => url),
    )
    expect(new Set(urls)).toEqual(
      new Set(['docker', 'identity/v3', 'container/v1', 'image'].map((path) => `http://cloud.example/${path}`)),
    )
  })
})

describe('tokens', () => {
  test('a scoped one carries what keystoneauth reads', async () => {
    const response = await call('POST', '/v3/auth/tokens', null, passwordBody('demo'))
    expect(response.status).toBe(201)
    expect(response.headers).toMatchObject({ vary: 'X-Auth-Token', 'x-subject-token': expect.any(String) })
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    expect(response.json().token).toMatchObject({
      methods: ['password'],
      user: { name: 'demo', domain: { id: 'default', name: 'Default' }, password_expires_at: null },
      project: { name: 'demo', domain: { id: 'default', name: 'Default' } },
      roles: [{ name: 'member' }],
      audit_ids: [expect.any(String)],
      issued_at: time,
      expires_at: time,
    })
    expect(response.json().token.catalog).toHaveLength(4)
    expect(response.json().token.system).toBeUndefined()
  })

  test('without a catalog if so asked, or without a scope', async () => {
    const lean = await call('POST', '/v3/auth/tokens?nocatalog', null, passwordBody('demo'))
    expect(lean.json().token.catalog).toBeUndefined()
    const unscoped = await call('POST', '/v3/auth/tokens', null, passwordBody('demo', undefined, 'unscoped'))
    expect(unscoped.json().token).not.toHaveProperty('catalog')
    expect(unscoped.json().token).not.toHaveProperty('project')
    expect(unscoped.json().token).not.toHaveProperty('roles')
    const token = String(unscoped.headers['x-subject-token'])
    expect((await call('GET', '/v3/auth/projects', token)).json().projects).toMatchObject([{ name: 'demo' }])
    expectError(await call('GET', '/v3/auth/catalog', token), 403)
  })

  test('are shown, checked and revoked', async () => {
    const subject = await tokenOf('demo')
    const header = { 'x-subject-token': subject }
    const shown = await call('GET', '/v3/auth/tokens', admin, undefined, header)
    expect(shown.json().token.user.name).toBe('demo')
    expect(shown.headers['x-subject-token']).toBe(subject)
    expect(await call('HEAD', '/v3/auth/tokens', admin, undefined, header)).toMatchObject({ status: 200, text: '' })
    expect((await call('DELETE', '/v3/auth/tokens', admin, undefined, header)).status).toBe(204)
    expectError(await call('GET', '/v3/auth/tokens', admin, undefined, header), 404)
    expectError(await call('GET', '/v3/auth/tokens', subject, undefined, header), 401)
    expectError(await call('GET', '/v3/auth/tokens', admin), 400)
    expectError(await call('GET', '/v3/auth/tokens', demo, undefined, { 'x-subject-token': admin }), 404)
  })

  test('a refusal names the way to log in and when to try again', async () => {
    const wrong = await call('POST', '/v3/auth/tokens', null, passwordBody('nobody', 'x'))
    expectError(wrong, 401)
    expect(wrong.headers['www-authenticate']).toMatch(/^Keystone uri="http:\/\/.*\/identity\/v3"$/)
    for (let mistake = 0; mistake < 4; mistake += 1) {
      await call('POST', '/v3/auth/tokens', null, passwordBody('nobody', 'x'))
    }
    const slowed = await call('POST', '/v3/auth/tokens', null, passwordBody('nobody', 'x'))
    expectError(slowed, 401)
    expect(slowed.headers['retry-after']).toBe('1')
  })

  test.each([
    ['no body', undefined],
    ['null', null],
    ['no methods', { auth: { identity: { methods: 'password' } } }],
    ['no password', { auth: { identity: { methods: ['password'], password: { user: { id: 'x' } } } } }],
    [
      'a name without a domain',
      { auth: { identity: { methods: ['password'], password: { user: { name: 'x', password: '' } } } } },
    ],
    ['two scopes', passwordBodyWith({ project: { id: 'x' }, domain: { id: 'x' } })],
    ['an empty scope', passwordBodyWith({})],
    ['a NUL', passwordBodyWith({ project: { id: '\u0000' } })],
    ['a huge name', passwordBodyWith({ project: { id: 'x'.repeat(300) } })],
  ])('%s is a bad request', async (_what, body) => {
    expectError(await call('POST', '/v3/auth/tokens', null, body), 400)
  })

  function passwordBodyWith(scope: unknown) {
    const user = { name: 'demo', domain: { id: 'default' }, password: 'x' }
    return { auth: { identity: { methods: ['password'], password: { user } }, scope } }
  }
})

describe('whatever is sent, the answer is a refusal in Keystone’s form', () => {
  const junk = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constant('\u0000'),
    fc.constant({ id: 'default' }),
    fc.constant({ name: 'demo', domain: { name: 'Default' } }),
  )
  /** Mostly right, so that a mistake elsewhere in the body is reached. */
  const mostly = <T>(right: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: junk })
  const name = mostly(fc.constantFrom('fuzz', 'default', 'Default', 'nobody'))
  const record = (values: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []) =>
    mostly(fc.record(values, { requiredKeys }))
  const domain = record({ id: name, name })
  const ref = record({ id: name, name, domain })
  const methods = mostly(
    fc.constantFrom(['password'], ['token'], ['application_credential'], ['totp'], ['password', 'token'], []),
  )
  const identity = record(
    {
      methods,
      password: record({ user: record({ id: name, name, domain, password: name }, ['password']) }),
      token: record({ id: name }, ['id']),
      application_credential: record({ id: name, name, user: ref, secret: name }, ['secret']),
    },
    ['methods', 'password', 'token'],
  )
  const system = record({ all: mostly(fc.boolean()) })
  const scope = fc.oneof(
    fc.constantFrom<unknown>({}, 'unscoped', { unscoped: {} }, { 'OS-TRUST:trust': { id: 'x' } }),
    fc.constantFrom('project', 'domain').chain((kind) => record({ [kind]: kind === 'project' ? ref : domain })),
    record({ project: ref, domain, system }),
  )
  const body = record({ auth: record({ identity, scope }, ['identity']) }, ['auth'])

  test('log-in', async () => {
    const property = fc.asyncProperty(body, async (body) => {
      const response = await call('POST', '/v3/auth/tokens', null, body)
      // Now and then the body is right.
      if (response.status === 201) return
      expect([400, 401, 501], `${response.text} for ${JSON.stringify(body)}`).toContain(response.status)
      expectError(response, response.status)
    })
    await fc.assert(property, { numRuns: 400 })
  })

  const shapes = [
    ['domain', 'domains', ['name', 'description', 'enabled']],
    ['project', 'projects', ['name', 'description', 'enabled', 'domain_id', 'parent_id', 'tags', 'is_domain']],
    ['user', 'users', ['name', 'description', 'enabled', 'domain_id', 'default_project_id', 'email']],
    ['group', 'groups', ['name', 'description', 'domain_id']],
    ['role', 'roles', ['name', 'description', 'domain_id']],
    ['region', 'regions', ['id', 'description', 'parent_region_id']],
    ['service', 'services', ['type', 'name', 'description', 'enabled']],
    ['endpoint', 'endpoints', ['service_id', 'region_id', 'interface', 'url', 'enabled']],
  ] as const

  test.each(shapes)('creating a %s', async (singular, plural, fields) => {
    const values = Object.fromEntries(fields.map((field) => [field, junk]))
    const property = fc.asyncProperty(fc.oneof(junk, fc.record(values, { requiredKeys: [] })), async (input) => {
      const response = await call('POST', `/v3/${plural}`, admin, { [singular]: input })
      expect([201, 400, 403, 404, 409], `${response.text} for ${JSON.stringify(input)}`).toContain(response.status)
      if (response.status !== 201) return expectError(response, response.status)
      const { id } = response.json()[singular]
      expect((await call('GET', `/v3/${plural}/${encodeURIComponent(id)}`, admin)).json()).toEqual(response.json())
    })
    await fc.assert(property, { numRuns: 60 })
  })

  test('odd paths and queries', async () => {
    const part = fc.constantFrom('%00', '%', 'x'.repeat(600), '..', '%ff', 'default', '__proto__', '', '%F0%9F%90%B3')
    const path = fc.tuple(fc.constantFrom('users', 'projects', 'role_assignments', 'auth', 'v4'), part, part)
    const property = fc.asyncProperty(path, part, async ([first, second, third], value) => {
      const response = await call('GET', `/v3/${first}/${second}/${third}?name=${value}&name=x&enabled=${value}`, admin)
      expect(response.status, response.text).toBeLessThan(500)
    })
    await fc.assert(property, { numRuns: 150 })
  })
})

describe('administration', () => {
  test('a project’s life', async () => {
    const input = { name: 'life', description: 'd', tags: ['a'], extra: 'ignored' }
    const made = await call('POST', '/v3/projects', admin, { project: input })
    expect(made.status).toBe(201)
    const { project } = made.json()
    expect(project).toMatchObject({ name: 'life', domain_id: 'default', parent_id: 'default', is_domain: false })
    expect(project.links.self).toMatch(new RegExp(`/identity/v3/projects/${project.id}$`))
    expectError(await call('POST', '/v3/projects', admin, { project: input }), 409)
    const path = `/v3/projects/${project.id}`
    // As clients do: the whole object comes back with one change.
    const changed = await call('PATCH', path, admin, { project: { ...project, description: null, enabled: false } })
    expect(changed.json().project).toMatchObject({ name: 'life', description: '', enabled: false })
    const found = await call('GET', '/v3/projects?name=life&enabled=False&domain_id=default', admin)
    expect(found.json()).toMatchObject({ projects: [{ id: project.id }], links: { next: null, previous: null } })
    expect((await call('GET', '/v3/projects?name=life&enabled', admin)).json().projects).toEqual([])
    expect((await call('DELETE', path, admin)).status).toBe(204)
    expectError(await call('GET', path, admin), 404)
    expectError(await call('DELETE', path, admin), 404)
  })

  test('roles on a project, a domain and the system', async () => {
    const idOf = async (kind: string) => (await call('GET', `/v3/${kind}s?name=demo`, admin)).json()[`${kind}s`][0].id
    const [user, project] = [await idOf('user'), await idOf('project')]
    const reader = (await call('GET', '/v3/roles?name=reader', admin)).json().roles[0].id
    for (const target of [`projects/${project}`, 'domains/default', 'system']) {
      const path = `/v3/${target}/users/${user}/roles/${reader}`
      expectError(await call('GET', path, admin), 404)
      expect((await call('PUT', path, admin)).status).toBe(204)
      expect((await call('PUT', path, admin)).status).toBe(204)
      expect((await call('HEAD', path, admin)).status).toBe(204)
      const roles = (await call('GET', `/v3/${target}/users/${user}/roles`, admin)).json().roles
      expect(roles.map(({ name }: { name: string }) => name)).toContain('reader')
    }
    const query = `/v3/role_assignments?user.id=${user}&role.id=${reader}`
    const plain = (await call('GET', query, admin)).json().role_assignments
    const scopes = plain.map(({ scope }: { scope: unknown }) => scope)
    expect(scopes).toEqual(
      expect.arrayContaining([{ project: { id: project } }, { domain: { id: 'default' } }, { system: { all: true } }]),
    )
    const named = (await call('GET', `${query}&include_names&scope.project.id=${project}`, admin)).json()
    expect(named.role_assignments).toMatchObject([
      {
        role: { name: 'reader' },
        user: { name: 'demo' },
        scope: { project: { name: 'demo', domain: { name: 'Default' } } },
      },
    ])
    expectError(await call('GET', '/v3/role_assignments?scope.system=all&scope.domain.id=x', admin), 400)
    for (const target of [`projects/${project}`, 'domains/default', 'system']) {
      const path = `/v3/${target}/users/${user}/roles/${reader}`
      expect((await call('DELETE', path, admin)).status).toBe(204)
      expectError(await call('DELETE', path, admin), 404)
    }
    demo = await tokenOf('demo')
  })

  test('what is not covered says so', async () => {
    for (const path of ['limits', 'OS-TRUST/trusts', 'credentials']) {
      expectError(await call('GET', `/v3/${path}`, admin), 501)
    }
    expectError(await call('GET', '/v3/nonsense', admin), 404)
    expectError(await call('GET', '/v2.0/tokens', admin), 404)
    expectError(await call('GET', '/v3/users', null), 401)
    expectError(await call('GET', '/v3/users', demo), 403)
    const url = `/v3/users/x/application_credentials`
    const rules = { application_credential: { name: 'x', access_rules: [{ path: '/' }] } }
    expectError(await call('POST', url, demo, rules), 501)
  })
})
