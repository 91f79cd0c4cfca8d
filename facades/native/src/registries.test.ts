import { expect, test } from 'vitest'
import { type ServedCloud, serveFakeCloud } from './testing/index.ts'

async function ask(cloud: ServedCloud, method: string, path: string, body?: unknown, token = 'demo-token') {
  const response = await fetch(`http://127.0.0.1:${cloud.port}/v1/registries${path}`, {
    method,
    headers: { 'x-auth-token': token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: text === '' ? undefined : JSON.parse(text) }
}

const hub = { domain: 'registry.example.com:5000', name: 'hub', username: 'ada', password: 'swordfish' }

test('a registry is kept, shown, changed and forgotten, and its password never comes back', async () => {
  await using cloud = await serveFakeCloud()
  const made = await ask(cloud, 'POST', '', hub)
  expect(made.status).toBe(201)
  const { password: _, ...shown } = hub
  expect(made.body).toMatchObject({ ...shown, hasPassword: true, projectId: 'project-demo' })
  expect(made.headers.get('location')).toBe(`/v1/registries/${made.body.id}`)
  expect(cloud.registries.passwords.get(made.body.id)).toBe('swordfish')
  const changed = await ask(cloud, 'PATCH', '/hub', { name: 'mine' })
  expect(changed.body).toMatchObject({ name: 'mine', username: 'ada', hasPassword: true })
  const open = await ask(cloud, 'PATCH', '/mine', { username: null, password: null, name: null })
  expect(open.body).toMatchObject({ name: hub.domain, username: null, hasPassword: false })
  const list = await ask(cloud, 'GET', '')
  expect(list.body.registries).toHaveLength(1)
  for (const { text } of [made, changed, open, list]) expect(text).not.toMatch(/swordfish|sealed/)
  expect(await ask(cloud, 'DELETE', `/${made.body.id}`)).toMatchObject({ status: 204, text: '' })
  expect((await ask(cloud, 'GET', `/${made.body.id}`)).body.error.code).toBe('registry.not-found')
})

test('another project sees none of it', async () => {
  await using cloud = await serveFakeCloud()
  const { body } = await ask(cloud, 'POST', '', hub)
  expect((await ask(cloud, 'GET', '', undefined, 'other-token')).body).toEqual({ registries: [] })
  for (const [method, change] of [['GET'], ['DELETE'], ['PATCH', { name: 'x' }]] as const) {
    expect((await ask(cloud, method, `/${body.id}`, change, 'other-token')).status).toBe(404)
  }
})

test.each([
  ['no domain', { name: 'hub' }],
  ['an unknown field', { ...hub, port: 1 }],
  ['a number', { ...hub, domain: 5 }],
  ['an empty password', { ...hub, password: '' }],
  ['no object', 'hub'],
])('%s is refused', async (_what, wrong) => {
  await using cloud = await serveFakeCloud()
  expect((await ask(cloud, 'POST', '', wrong)).status).toBe(400)
  expect((await ask(cloud, 'PATCH', '/hub', {})).status).toBe(400)
})
