import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { huge } from './bad-fields.ts'
import { oneError } from './zun-errors.ts'

let cloud: FakeCloud
beforeEach(async () => {
  cloud = await fakeCloud()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const container = {
  image: 'busybox',
  command: ['sleep'],
  args: ['60'],
  resources: { requests: { cpu: 1, memory: 64 } },
}
const template = {
  kind: 'capsule',
  capsuleVersion: 'beta',
  metadata: { name: 'pair', labels: { app: 'web' }, annotations: { note: 'x' } },
  spec: { restartPolicy: 'OnFailure', containers: [container, container], initContainers: [container] },
}
const create = (body: unknown, version = '1.40', token = 'demo') =>
  cloud.ask('POST', '/v1/capsules/', { version, token, body })

test('is created from an object or its JSON text, and shown', async () => {
  const made = await create({ template })
  const { uuid } = made.json as { uuid: string }
  expect(made).toMatchObject({ status: 202, json: { status: 'Creating', name: 'pair' } })
  expect(made.headers.get('location')).toBe(`${cloud.origin}/container/v1/capsules/${uuid}`)
  expect((await create({ template: JSON.stringify({ ...template, metadata: {} }) })).status).toBe(202)
  const shown = await cloud.ask('GET', '/v1/capsules/pair', { version: '1.32' })
  expect(shown.json).toEqual({
    uuid,
    links: [
      { href: `${cloud.origin}/container/v1/capsules/${uuid}`, rel: 'self' },
      { href: `${cloud.origin}/container/capsules/${uuid}`, rel: 'bookmark' },
    ],
    name: 'pair',
    project_id: 'project-demo',
    user_id: 'user-demo',
    cpu: 2,
    memory: '128',
    status: 'Running',
    status_reason: null,
    labels: { app: 'web' },
    annotations: { note: 'x' },
    addresses: { 'net-1': [expect.objectContaining({ addr: '10.0.0.2', version: 4 })] },
    restart_policy: { Name: 'on-failure', MaximumRetryCount: '0' },
    containers: [expect.objectContaining({ command: ['sleep', '60'] }), expect.any(Object)],
    init_containers: [expect.any(Object)],
    created_at: '2026-01-02 03:04:05.678000',
    updated_at: null,
  })
  expect(shown.json).not.toHaveProperty('containers.0.links')
  const admin = await cloud.ask('GET', `/v1/capsules/${uuid}`, { token: 'admin', version: '1.40' })
  expect(admin.json).toMatchObject({ host: 'compute1' })
  const deleted = await cloud.ask('DELETE', '/v1/capsules/pair', { version: '1.40' })
  expect(deleted).toMatchObject({ status: 204, text: '' })
  expect((await cloud.ask('GET', '/v1/capsules/pair')).json).toEqual(oneError('container-not-found', 404))
})

test('below 1.32 it has the older shape', async () => {
  await create({ template })
  const { json } = await cloud.ask('GET', '/v1/capsules/pair', { version: '1.31' })
  expect(json).toMatchObject({
    meta_name: 'pair',
    meta_labels: { app: 'web' },
    restart_policy: 'on-failure',
    volumes_info: {},
    containers_uuids: [],
    init_containers_uuids: [],
    capsule_version: '',
  })
  expect(json).not.toHaveProperty('name')
  expect(json).not.toHaveProperty('labels')
})

test('lists in pages, in any order', async () => {
  for (const name of ['bb', 'aa', 'cc']) await create({ template: { ...template, metadata: { name } } })
  const names = async (path: string) => {
    const { json } = await cloud.ask('GET', path, { version: '1.40' })
    const { capsules, next } = json as { capsules: { name: string; links: unknown }[]; next: string | null }
    expect(capsules.every(({ links }) => Array.isArray(links))).toBe(true)
    return { names: capsules.map(({ name }) => name), next }
  }
  expect(await names('/v1/capsules/')).toEqual({ names: ['bb', 'aa', 'cc'], next: null })
  for (const [query, first, rest] of [
    ['', ['bb', 'aa'], ['cc']],
    ['sort_key=name&', ['aa', 'bb'], ['cc']],
    ['sort_dir=desc&', ['cc', 'aa'], ['bb']],
  ] as const) {
    const page = await names(`/v1/capsules?${query}limit=2`)
    expect(page.names).toEqual(first)
    expect(page.next?.startsWith(`${cloud.origin}/v1/capsules?`)).toBe(true)
    expect((await names(String(page.next).slice(cloud.origin.length))).names).toEqual(rest)
  }
  for (const query of ['sort_key=secret', 'limit=0', 'sort_dir=up']) {
    expect((await cloud.ask('GET', `/v1/capsules?${query}`)).status).toBe(400)
  }
  expect((await cloud.ask('GET', '/v1/capsules?marker=aa')).json).toEqual(oneError('container-not-found', 404))
  expect((await cloud.ask('GET', '/v1/capsules', { token: 'other' })).json).toEqual({ capsules: [], next: null })
})

test('bad templates are 400 with a sentence, whatever they are', async () => {
  for (const body of [{}, { template: null }, { template: 1 }, { template: [] }, { template: '{' }, { template: {} }]) {
    expect((await create(body)).json).toEqual(oneError('schema-validation-error', 400))
  }
  for (const spec of [{}, { containers: [] }, { containers: [{}] }, { containers: [{ ...container, gpu: 1 }] }]) {
    expect((await create({ template: { ...template, spec } })).json).toEqual(oneError('schema-validation-error', 400))
  }
  expect((await create({ template, more: 1 })).json).toEqual(oneError('schema-validation-error', 400))
  const net = { ...template, spec: { ...template.spec, nets: [{ network: 'net-other' }] } }
  expect((await create({ template: net })).json).toEqual(oneError('network-not-found', 404))
})

test('no template of any kind makes a 500', async () => {
  const junk = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(huge, '__proto__', -1, 1e300, { constructor: 1 }))
  const paths = [
    'kind',
    'capsuleVersion',
    'metadata',
    'spec',
    'availabilityZone',
    'restartPolicy',
    'metadata.name',
    'metadata.labels',
    'metadata.annotations',
    'spec.containers',
    'spec.initContainers',
    'spec.volumes',
    'spec.restartPolicy',
    'spec.nets',
    'spec.containers.0',
    'spec.containers.0.image',
    'spec.containers.0.command',
    'spec.containers.0.resources',
    'spec.containers.0.resources.requests',
    'spec.containers.0.resources.requests.cpu',
    'spec.containers.0.ports',
    'spec.containers.0.volumeMounts',
    'spec.containers.0.env',
    'spec.initContainers.0',
  ]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), junk, async (path, value) => {
      const body = { template: withValue(template, path.split('.'), value) }
      expect([202, 400, 404, 409]).toContain((await create(body)).status)
    }),
    { numRuns: 300 },
  )
})

function withValue(of: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  const copy = Array.isArray(of) ? [...(of as unknown[])] : { ...(of as Record<string, unknown>) }
  Reflect.set(copy, key, withValue(Reflect.get(copy, key), rest, value))
  return copy
}
