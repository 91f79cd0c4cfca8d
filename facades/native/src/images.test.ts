import type { ProjectId } from '@gantry/model'
import { expect, test } from 'vitest'
import { type ServedCloud, serveFakeCloud } from './testing/index.ts'

const demo = 'project-demo' as ProjectId

async function ask(cloud: ServedCloud, method: string, path: string, body?: unknown, token = 'demo-token') {
  const isTar = body instanceof Buffer
  const type = isTar ? 'application/x-tar' : 'application/json'
  const response = await fetch(`http://127.0.0.1:${cloud.port}/v1${path}`, {
    method,
    headers: { 'x-auth-token': token, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: isTar ? new Uint8Array(body) : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
}

test('an image is found by id and by name, renamed, tagged and deleted', async () => {
  await using cloud = await serveFakeCloud()
  const { id } = cloud.images.add(demo, 'team/app:1')
  for (const ref of [id, encodeURIComponent('team/app:1')]) {
    const { status, body } = await ask(cloud, 'GET', `/images/${ref}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ id, name: 'team/app:1', repo: 'team/app', tag: '1', kind: 'image', protected: false })
  }
  expect((await ask(cloud, 'PATCH', `/images/${id}`, { name: 'My app' })).body).toMatchObject({ name: 'My app' })
  expect((await ask(cloud, 'PATCH', `/images/${id}`, { name: null })).body).toMatchObject({ name: 'team/app:1' })
  const tagged = await ask(cloud, 'POST', `/images/${id}/tag`, { repo: 'other' })
  expect(tagged).toMatchObject({ status: 201, body: { name: 'other:latest' } })
  expect((await ask(cloud, 'GET', '/images')).body.images).toHaveLength(2)
  expect((await ask(cloud, 'DELETE', `/images/${encodeURIComponent('team/app:1')}`)).status).toBe(204)
  expect((await ask(cloud, 'GET', `/images/${id}`)).body.error.code).toBe('image.not-found')
})

test('an archive goes in and comes out; one that is none leaves nothing behind', async () => {
  await using cloud = await serveFakeCloud()
  const tar = Buffer.from('as good as a tar')
  const made = await ask(cloud, 'POST', '/images/archive?name=app:2', tar)
  expect(made).toMatchObject({ status: 201, body: { name: 'app:2', status: 'active', bytes: tar.length } })
  const saved = await ask(cloud, 'GET', `/images/${made.body.id}/archive`)
  expect(saved.text).toBe('as good as a tar')
  expect(saved.headers.get('content-length')).toBe(String(tar.length))
  expect((await ask(cloud, 'POST', '/images/archive', Buffer.alloc(0))).status).toBe(400)
  expect((await ask(cloud, 'POST', '/images/archive', { a: 1 })).status).toBe(400)
  expect((await ask(cloud, 'GET', '/images')).body.images).toHaveLength(1)
})

test('an image is shared with a project, by name or id, and no more', async () => {
  await using cloud = await serveFakeCloud()
  cloud.images.add(demo, 'app:1')
  expect((await ask(cloud, 'POST', '/images/app:1/members', { project: 'partner' })).status).toBe(403)
  await ask(cloud, 'PATCH', '/images/app:1', { visibility: 'shared' })
  const shared = await ask(cloud, 'POST', '/images/app:1/members', { project: 'partner' })
  expect(shared).toMatchObject({ status: 201, body: { projectId: 'partner', status: 'pending' } })
  expect((await ask(cloud, 'GET', '/images/app:1/members')).body.members).toHaveLength(1)
  expect((await ask(cloud, 'POST', '/images/app:1/members', { project: 'nobody' })).status).toBe(404)
  expect((await ask(cloud, 'PUT', '/images/app:1/membership', { status: 'accepted' })).status).toBe(404)
  expect((await ask(cloud, 'PUT', '/images/app:1/membership', { status: 'maybe' })).status).toBe(400)
  expect((await ask(cloud, 'DELETE', '/images/app:1/members/partner')).status).toBe(204)
  expect((await ask(cloud, 'GET', '/images/app:1/members')).body.members).toEqual([])
})

test('provenance, policy and the care of the store', async () => {
  await using cloud = await serveFakeCloud()
  await ask(cloud, 'POST', '/images/archive?name=app:2', Buffer.from('x'))
  expect((await ask(cloud, 'GET', '/images/app:2/provenance')).body).toMatchObject({
    platforms: ['linux/amd64'],
    layers: [{ bytes: 1000, createdBy: 'COPY . /' }],
    pushedAt: '1970-01-01T00:00:00.000Z',
    usedBy: ['web'],
    signatures: [{ verified: true }],
  })
  const key = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'
  expect((await ask(cloud, 'PUT', '/image-policy', { keys: [key] })).body).toEqual({ keys: [key] })
  expect((await ask(cloud, 'GET', '/image-policy')).body).toEqual({ keys: [key] })
  expect((await ask(cloud, 'GET', '/image-policy', undefined, 'other-token')).body).toEqual({ keys: [] })
  for (const wrong of [{}, { keys: 'x' }, { keys: ['x'] }, { keys: [key], more: 1 }]) {
    expect((await ask(cloud, 'PUT', '/image-policy', wrong)).status).toBe(400)
  }
  expect((await ask(cloud, 'DELETE', '/image-policy')).status).toBe(204)
  expect((await ask(cloud, 'GET', '/image-policy')).body).toEqual({ keys: [] })
  for (const path of ['/image-store/sweep', '/image-store/verify']) {
    expect((await ask(cloud, 'POST', path)).status, path).toBe(403)
    expect((await ask(cloud, 'POST', path, undefined, 'admin-token')).status, path).toBe(200)
  }
})

test('another project sees nothing of it, and only administrators make public', async () => {
  await using cloud = await serveFakeCloud()
  const { id } = cloud.images.add(demo, 'app:1')
  const asked = [
    ['GET', ''],
    ['GET', '/archive'],
    ['GET', '/provenance'],
    ['GET', '/members'],
    ['PATCH', '', { name: 'x' }],
    ['POST', '/tag', { repo: 'x' }],
    ['POST', '/members', { project: 'x' }],
    ['DELETE', '/members/x'],
    ['DELETE', ''],
  ] as const
  for (const [method, path, body] of asked) {
    const answer = await ask(cloud, method, `/images/${id}${path}`, body, 'other-token')
    expect(answer, `${method} ${path}`).toMatchObject({ status: 404, body: { error: { code: 'image.not-found' } } })
  }
  expect((await ask(cloud, 'PATCH', `/images/${id}`, { visibility: 'public' })).status).toBe(403)
  expect((await ask(cloud, 'PATCH', `/images/${id}`, { visibility: 'public' }, 'admin-token')).status).toBe(200)
})

test.each([{}, { name: 1 }, { visibility: 'community' }, { other: 1 }, { name: 'a\nb' }, []])(
  '%j is no change of an image',
  async (body) => {
    await using cloud = await serveFakeCloud()
    cloud.images.add(demo, 'app:1')
    expect((await ask(cloud, 'PATCH', '/images/app:1', body)).status).toBe(400)
  },
)
