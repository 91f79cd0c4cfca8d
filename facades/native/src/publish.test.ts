import { expect, test } from 'vitest'
import { type ServedCloud, serveFakeCloud } from './testing/index.ts'

interface Body {
  readonly containers: readonly unknown[]
  readonly error: { readonly field?: string; readonly message: string }
}

async function ask({ port }: ServedCloud, method: string, path: string, body?: unknown) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { 'x-auth-token': 'demo-token', ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Body }
}

test('containers are published as they were asked to be, and opened', async () => {
  await using cloud = await serveFakeCloud()
  const publish = [
    { containerPort: 80, publicPort: 8080 },
    { containerPort: 53, protocol: 'udp' },
  ]
  const made = await ask(cloud, 'POST', '/v1/containers', {
    image: 'busybox',
    name: 'web',
    publish,
    exposedPorts: ['80/tcp'],
  })
  expect(made.status).toBe(202)
  expect(made.body).toMatchObject({
    publish: [
      { containerPort: 80, protocol: 'tcp', publicPort: 8080, address: null },
      { containerPort: 53, protocol: 'udp', publicPort: null, address: null },
    ],
    published: [],
    ports: ['80/tcp', '53/udp'],
  })
  const bad = await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', publish: [{ containerPort: 70_000 }] })
  expect(bad.body.error).toMatchObject({ code: 'request.invalid', field: '/publish/0/containerPort' })
  expect(bad.body.error.message).toBe('/publish/0/containerPort: must be at most 65535')
})

test('containers are rehearsed: made by nobody, and refused by the name of the field', async () => {
  await using cloud = await serveFakeCloud()
  const dry = (body: object, path = '/v1/containers') =>
    ask(cloud, 'POST', `${path}?dryRun`, { image: 'busybox', ...body })
  expect(await dry({ name: 'web' })).toMatchObject({ status: 200, body: { name: 'web', status: 'Creating' } })
  expect(await dry({ name: 'web', count: 3 }, '/v1/containers/bulk')).toMatchObject({ status: 200 })
  expect((await ask(cloud, 'GET', '/v1/containers')).body.containers).toEqual([])
  await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web' })
  const field = async (body: object) => (await dry(body)).body.error.field
  expect(await field({ name: 'web' })).toBe('/name')
  expect(await field({ nets: [{ network: 'nowhere' }] })).toBe('/nets')
  expect(await field({ mounts: [{ source: 'nothing', destination: '/data' }] })).toBe('/mounts')
  expect(await field({ memory: 3 })).toBe('/memory')
  expect((await dry({ name: '-web' })).body.error.message).toBe(
    '/name: does not fit: Letters, digits, `_`, `.` and `-`, the first a letter or digit',
  )
  expect((await ask(cloud, 'POST', '/v1/containers?dryrun', { image: 'busybox' })).status).toBe(400)
})
