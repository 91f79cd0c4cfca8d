import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { openstackClient } from './openstack-client.ts'
import { oneError } from './zun-errors.ts'

let cloud: FakeCloud
beforeEach(async () => {
  cloud = await fakeCloud()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const hub = { name: 'hub', domain: 'registry.example.com:5000', username: 'ada', password: 'swordfish' }
const ask = (method: string, path: string, body?: unknown, token = 'demo') =>
  cloud.ask(method, path, { version: '1.40', token, ...(body === undefined ? {} : { body }) })
const create = (registry: object, token?: string) => ask('POST', '/v1/registries', { registry }, token)

describe('registries', () => {
  test('are wrapped, linked when shown alone, and never show a password', async () => {
    const made = await create(hub)
    const { uuid } = (made.json as { registry: { uuid: string } }).registry
    const address = `${cloud.origin}/container/v1/registries/${uuid}`
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(address)
    const bare = {
      uuid,
      name: 'hub',
      project_id: expect.any(String),
      user_id: expect.any(String),
      domain: hub.domain,
      username: 'ada',
      password: '***',
    }
    const links = [
      { href: address, rel: 'self' },
      { href: `${cloud.origin}/container/registries/${uuid}`, rel: 'bookmark' },
    ]
    expect(made.json).toEqual({ registry: { ...bare, links } })
    expect((await ask('GET', '/v1/registries/hub')).json).toEqual({ registry: { ...bare, links } })
    expect((await ask('GET', '/v1/registries')).json).toEqual({ registries: [bare], next: null })
    expect((await create({ domain: 'open.example.com' })).json).toMatchObject({
      registry: { name: 'open.example.com', username: null, password: '***' },
    })
  })

  test('change in part and go', async () => {
    await create(hub)
    const changed = await ask('PATCH', '/v1/registries/hub', { registry: { name: 'mine', username: 'bob' } })
    expect(changed).toMatchObject({
      status: 200,
      json: { registry: { name: 'mine', username: 'bob', domain: hub.domain } },
    })
    expect(changed.json).toHaveProperty('registry.links')
    expect(await ask('PATCH', '/v1/registries/mine', { registry: {} })).toMatchObject({ status: 200 })
    expect(await ask('DELETE', '/v1/registries/mine')).toMatchObject({ status: 204, text: '' })
    for (const method of ['GET', 'DELETE']) {
      expect((await ask(method, '/v1/registries/mine')).json).toEqual(oneError('registry-not-found', 404))
    }
    const gone = await ask('PATCH', '/v1/registries/mine', { registry: {} })
    expect(gone.json).toEqual(oneError('registry-not-found', 404))
  })

  test('are listed by filter, in order and in pages', async () => {
    for (const name of ['cc', 'aa', 'bb']) await create({ name, domain: `${name}.example.com`, username: 'ada' })
    await create({ name: 'zz', domain: 'aa.example.com' })
    const names = async (query: string) => {
      const { json } = await ask('GET', `/v1/registries?${query}`)
      return (json as { registries: { name: string }[] }).registries.map(({ name }) => name)
    }
    expect(await names('')).toEqual(['cc', 'aa', 'bb', 'zz'])
    expect(await names('sort_key=name&sort_dir=desc')).toEqual(['zz', 'cc', 'bb', 'aa'])
    expect(await names('domain=aa.example.com')).toEqual(['aa', 'zz'])
    expect(await names('domain=aa.example.com&username=ada')).toEqual(['aa'])
    expect(await names('name=bb')).toEqual(['bb'])
    expect(await names('user_id=nobody')).toEqual([])
    const first = await ask('GET', '/v1/registries?limit=3&sort_key=name')
    const { next } = first.json as { next: string }
    const second = await ask('GET', next.slice(cloud.origin.length))
    expect(second.json).toMatchObject({ registries: [{ name: 'zz' }], next: null })
    expect((await ask('GET', '/v1/registries?marker=none')).json).toEqual(oneError('registry-not-found', 404))
    expect((await ask('GET', '/v1/registries?sort_key=password')).status).toBe(400)
    expect((await ask('GET', '/v1/registries?limit=0')).status).toBe(400)
  })

  test('of another project are not there', async () => {
    await create(hub)
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', { registry: {} }]] as const) {
      const answer = await ask(method, '/v1/registries/hub', body, 'other')
      expect(answer.json).toEqual(oneError('registry-not-found', 404))
    }
    expect((await ask('GET', '/v1/registries', undefined, 'other')).json).toEqual({ registries: [], next: null })
  })

  test.each([
    ['nothing', {}],
    ['an unwrapped body', hub],
    ['another field beside it', { registry: hub, more: 1 }],
    ['no map', { registry: 'hub' }],
    ['null', { registry: null }],
    ['no domain', { registry: { name: 'hub' } }],
    ['an unknown field', { registry: { ...hub, port: 1 } }],
    ['a short name', { registry: { ...hub, name: 'a' } }],
    ['a name with a slash', { registry: { ...hub, name: 'a/b' } }],
    ['a null domain', { registry: { ...hub, domain: null } }],
    ['a number as a password', { registry: { ...hub, password: 1 } }],
    ['an empty password', { registry: { ...hub, password: '' } }],
    ['a NUL', { registry: { ...hub, username: 'a\0' } }],
  ])('%s is refused', async (_what, body) => {
    expect((await ask('POST', '/v1/registries', body)).json).toEqual(oneError('schema-validation-error', 400))
    expect((await ask('GET', '/v1/registries')).json).toMatchObject({ registries: [] })
  })
})

test('the openstack client registers, lists, changes and deletes one', async () => {
  await using client = await openstackClient(cloud.origin)
  const registry = (line: string) => client.appcontainer(`registry ${line}`)
  const made = await registry('create --name hub --domain registry.example.com:5000 --username ada --password secret')
  expect(made).toMatch(/domain +\| registry\.example\.com:5000/)
  expect(made).toMatch(/password +\| \*\*\*/)
  expect(await registry('show hub')).toMatch(/username +\| ada/)
  await registry('create --name other --domain other.example.com')
  expect(await registry('list')).toMatch(/hub[^]*other/)
  expect(await registry('list --limit 1 --sort-key name')).not.toContain('other.example.com')
  expect(await registry('list --domain other.example.com')).not.toContain('hub')
  expect(await registry('update hub --name mine --username bob')).toMatch(/name +\| mine/)
  expect(await registry('delete mine other')).toContain('accepted')
  expect(await registry('show mine')).toContain('(HTTP 404)')
})
