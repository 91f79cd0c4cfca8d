import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anImage, contentOf, digestOf, manifestType, push } from '../fixtures/image-content.ts'
import { type LoneServer, startLoneServer, type Told, type User } from '../fixtures/lone-server.ts'

/** Two projects and the registry: on no route is something of another project's told apart from nothing. */
let server: LoneServer
let demo: User
let other: User
let reader: User
const image = anImage('a secret of demo')
const absent = digestOf('nothing of anybody')
let upload = ''

beforeAll(async () => {
  server = await startLoneServer()
  demo = server.demo
  other = await server.newUser('other')
  reader = await server.newUser('reader', 'reader')
  expect((await push(server, demo, 'demo/secret', 'v1', image)).status).toBe(201)
  const begun = await server.ask('POST', '/v2/demo/secret/blobs/uploads/', { user: demo })
  upload = String(begun.headers['docker-upload-uuid'])
})
afterAll(async () => server?.[Symbol.asyncDispose]())

/** Every route, with what is there in place of `…`. */
const routes = [
  ['GET', 'tags/list'],
  ['GET', 'manifests/v1'],
  ['HEAD', 'manifests/v1'],
  ['GET', `manifests/${image.manifest.digest}`],
  ['GET', `blobs/${image.layer.digest}`],
  ['HEAD', `blobs/${image.layer.digest}`],
  ['GET', `blobs/${image.config.digest}`],
  ['GET', `referrers/${image.manifest.digest}`],
  ['PUT', 'manifests/v2'],
  ['DELETE', 'manifests/v1'],
  ['DELETE', `manifests/${image.manifest.digest}`],
  ['DELETE', `blobs/${image.layer.digest}`],
  ['POST', 'blobs/uploads/'],
  ['POST', `blobs/uploads/?digest=${image.layer.digest}`],
  ['POST', `blobs/uploads/?mount=${image.layer.digest}&from=demo/secret`],
  ['GET', 'blobs/uploads/UPLOAD'],
  ['PATCH', 'blobs/uploads/UPLOAD'],
  ['PUT', `blobs/uploads/UPLOAD?digest=${image.layer.digest}`],
  ['DELETE', 'blobs/uploads/UPLOAD'],
] as const

async function answered(method: string, name: string, rest: string, authorization: (name: string) => Promise<string>) {
  const headers = {
    authorization: await authorization(name),
    'content-type': method === 'PUT' ? manifestType : 'application/octet-stream',
  }
  const body = method === 'PUT' || method === 'PATCH' || method === 'POST' ? image.manifest.content : undefined
  const told = await server.ask(method, `/v2/${name}/${rest.replace('UPLOAD', upload)}`, {
    headers,
    ...(body && { body }),
  })
  return plain(told, name)
}

/** Without what the client has said itself, and what tells one answer from the next. */
function plain({ status, headers, text }: Told, name: string) {
  const { date: _date, ...rest } = headers
  return JSON.parse(JSON.stringify({ status, rest, text }).replaceAll(name, 'NAME')) as unknown
}

const keystone = async () => `Bearer ${other.token}`
const registryToken = async (name: string) => bearer(other, `repository:${name}:pull,push,delete`)

async function bearer(user: User, scope: string): Promise<string> {
  const basic = Buffer.from(`${user.name}:${user.password}`).toString('base64')
  const told = await server.ask('GET', `/v2/token?service=${server.domain}&scope=${scope}`, {
    headers: { authorization: `Basic ${basic}` },
  })
  return `Bearer ${String(told.json['token'])}`
}

describe.each([
  ['with a token of Keystone’s', keystone],
  ['with a token of the registry', registryToken],
])('%s', (_what, authorization) => {
  test.each(routes)('%s %s', async (method, rest) => {
    const theirs = await answered(method, 'demo/secret', rest, authorization)
    expect(theirs).toMatchObject({
      status: expect.toSatisfy((status: number) => status >= 400 || rest.startsWith('referrers')),
    })
    // A repository that demo does not have, and a project that nobody has; their names are as long.
    expect(await answered(method, 'demo/absent', rest, authorization)).toEqual(theirs)
    expect(await answered(method, 'none/secret', rest, authorization)).toEqual(theirs)
  })
})

test('what another project has is not there from one’s own repository either', async () => {
  for (const there of [image.layer.digest, image.manifest.digest]) {
    for (const [method, rest] of [
      ['GET', 'blobs/DIGEST'],
      ['HEAD', 'blobs/DIGEST'],
      ['DELETE', 'blobs/DIGEST'],
      ['GET', 'manifests/DIGEST'],
      ['DELETE', 'manifests/DIGEST'],
      ['GET', 'referrers/DIGEST'],
    ] as const) {
      const ask = async (digest: string) =>
        plain(await server.ask(method, `/v2/other/app/${rest.replace('DIGEST', digest)}`, { user: other }), digest)
      expect([method, rest, await ask(there)]).toEqual([method, rest, await ask(absent)])
    }
  }
  // Neither mounted by its digest, nor made one's own by a manifest that names it, nor by an upload that claims to be it.
  const mount = (digest: string) =>
    server.ask('POST', `/v2/other/app/blobs/uploads/?mount=${digest}&from=demo/secret`, { user: other })
  expect([(await mount(image.layer.digest)).status, (await mount(absent)).status]).toEqual([202, 202])
  const put = await server.ask('PUT', '/v2/other/app/manifests/stolen', {
    user: other,
    headers: { 'content-type': manifestType },
    body: image.manifest.content,
  })
  expect([put.status, put.text.includes('MANIFEST_BLOB_UNKNOWN')]).toEqual([404, true])
  const claim = `/v2/other/app/blobs/uploads/?digest=${image.layer.digest}`
  expect((await server.ask('POST', claim, { user: other, body: 'x' })).status).toBe(400)
})

test('lists and searches show one’s own only', async () => {
  expect((await server.ask('GET', '/v2/_catalog', { user: other })).json).toEqual({ repositories: [] })
  expect((await server.ask('GET', '/v2/_catalog', { user: demo })).json).toEqual({ repositories: ['demo/secret'] })
  const search = async (user: User) => (await server.ask('GET', '/v1/search?q=secret', { user })).json['results']
  expect(await search(other)).toEqual([])
  expect(await search(demo)).toHaveLength(1)
})

test('uploads are known to their repository alone', async () => {
  const at = (repository: string) => `/v2/${repository}/blobs/uploads/${upload}`
  expect((await server.ask('GET', at('demo/secret'), { user: demo })).status).toBe(204)
  expect((await server.ask('GET', at('demo/other'), { user: demo })).status).toBe(404)
  expect((await server.ask('GET', at('other/secret'), { user: other })).status).toBe(404)
})

test('a token of the registry is for what it says, and for nothing else', async () => {
  const authorization = await bearer(demo, 'repository:demo/secret:pull')
  const ask = (method: string, path: string) => server.ask(method, path, { headers: { authorization } })
  expect((await ask('GET', '/v2/demo/secret/tags/list')).status).toBe(200)
  const push = await ask('POST', '/v2/demo/secret/blobs/uploads/')
  expect(push.status).toBe(401)
  expect(push.headers['www-authenticate']).toMatch(
    /scope="repository:demo\/secret:pull,push",error="insufficient_scope"$/,
  )
  expect((await ask('GET', '/v2/demo/others/tags/list')).status).toBe(401)
  expect((await ask('GET', '/v2/_catalog')).status).toBe(401)
  // It opens nothing but the registry.
  const token = authorization.slice('Bearer '.length)
  expect((await server.ask('GET', '/container/v1/containers', { headers: { 'x-auth-token': token } })).status).toBe(401)
  // Mounting reads from the other repository.
  const both = await bearer(demo, 'repository:demo/mine:pull,push')
  await server.ask('POST', `/v2/demo/secret/blobs/uploads/?digest=${contentOf('m').digest}`, { user: demo, body: 'm' })
  const mount = await server.ask(
    'POST',
    `/v2/demo/mine/blobs/uploads/?mount=${contentOf('m').digest}&from=demo/secret`,
    {
      headers: { authorization: both },
    },
  )
  expect(mount.status).toBe(202)
})

test('a reader pulls and does not push', async () => {
  const scope = 'repository:reader/app:pull,push'
  const authorization = await bearer(reader, scope)
  const ask = (method: string, path: string) => server.ask(method, path, { headers: { authorization } })
  expect((await ask('GET', '/v2/reader/app/tags/list')).status).toBe(404)
  const refused = await ask('POST', '/v2/reader/app/blobs/uploads/')
  expect([refused.status, refused.text.includes('DENIED')]).toEqual([403, true])
  expect((await server.ask('POST', '/v2/reader/app/blobs/uploads/', { user: reader })).status).toBe(403)
})

describe('what a project shows to others', () => {
  const shown = anImage('shown to others')
  let id = ''

  beforeAll(async () => {
    expect((await push(server, demo, 'demo/shown', 'v1', shown)).status).toBe(201)
    await push(server, demo, 'demo/shown', 'hidden', anImage('beside it'))
    const listed = await server.ask('GET', '/image/v2/images?name=demo/shown:v1', { user: demo })
    const all = await server.ask('GET', '/image/v2/images', { user: demo })
    const images = [listed, all].flatMap(({ json }) => json['images'] as unknown as { id: string; name: string }[])
    id = images.find(({ name }) => name === 'shown:v1')?.id ?? ''
  })

  const patch = (user: User, visibility: string) =>
    server.ask('PATCH', `/image/v2/images/${id}`, {
      user,
      headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' },
      body: JSON.stringify([{ op: 'replace', path: '/visibility', value: visibility }]),
    })

  async function seesIt(): Promise<void> {
    const get = async (rest: string) => (await server.ask('GET', `/v2/demo/shown/${rest}`, { user: other })).status
    expect((await server.ask('GET', '/v2/demo/shown/tags/list', { user: other })).json['tags']).toEqual(['v1'])
    expect(await get('manifests/v1')).toBe(200)
    expect(await get(`blobs/${shown.layer.digest}`)).toBe(200)
    expect(await get('manifests/hidden')).toBe(404)
    expect((await server.ask('GET', '/v2/_catalog', { user: other })).json).toEqual({ repositories: ['demo/shown'] })
    // To be read, and taken over, and no more.
    expect((await server.ask('POST', '/v2/demo/shown/blobs/uploads/', { user: other })).status).toBe(403)
    expect((await server.ask('DELETE', '/v2/demo/shown/manifests/v1', { user: other })).status).toBe(403)
    const mount = `/v2/other/taken/blobs/uploads/?mount=${shown.layer.digest}&from=demo/shown`
    expect((await server.ask('POST', mount, { user: other })).status).toBe(201)
  }

  test('is read by members while they are such', async () => {
    expect((await patch(demo, 'shared')).status).toBe(200)
    const members = `/image/v2/images/${id}/members`
    const json = { 'content-type': 'application/json' }
    const body = JSON.stringify({ member: other.projectId })
    expect((await server.ask('POST', members, { user: demo, headers: json, body })).status).toBe(200)
    // As with Glance, what was not accepted can be used and is not listed.
    expect((await server.ask('GET', '/v2/demo/shown/manifests/v1', { user: other })).status).toBe(200)
    expect((await server.ask('GET', '/v2/_catalog', { user: other })).json).toEqual({ repositories: [] })
    const accepted = { user: other, headers: json, body: JSON.stringify({ status: 'accepted' }) }
    expect((await server.ask('PUT', `${members}/${other.projectId}`, accepted)).status).toBe(200)
    await seesIt()
    expect((await server.ask('DELETE', `${members}/${other.projectId}`, { user: demo })).status).toBe(204)
    expect((await server.ask('GET', '/v2/demo/shown/tags/list', { user: other })).status).toBe(404)
  })

  test('is read by everybody while it is public, which only administrators make it', async () => {
    expect((await patch(demo, 'public')).status).toBe(403)
    expect((await patch(server.admin, 'public')).status).toBe(200)
    await seesIt()
    expect((await patch(server.admin, 'private')).status).toBe(200)
    expect((await server.ask('GET', '/v2/demo/shown/tags/list', { user: other })).status).toBe(404)
  })
})
