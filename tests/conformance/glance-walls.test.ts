import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { archiveOf, imageParts } from '../fixtures/image-archive.ts'
import { type Ask, type LoneServer, startLoneServer, type User } from '../fixtures/lone-server.ts'

let server: LoneServer
let demo: User
let other: User
let archive: Buffer
const parts = imageParts(['app:1'])

beforeAll(async () => {
  server = await startLoneServer()
  demo = server.demo
  other = await server.newUser('other')
  archive = await archiveOf([parts.config, parts.layer, parts.manifest])
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const json = { 'content-type': 'application/json' }
const bytes = { 'content-type': 'application/octet-stream' }
const patches = { 'content-type': 'application/openstack-images-v2.1-json-patch' }
const ask = (user: User, method: string, path: string, options: Ask = {}) =>
  server.ask(method, `/image${path}`, { user, ...options })

async function newImage(user: User, fields: object): Promise<string> {
  const body = JSON.stringify({ container_format: 'docker', disk_format: 'raw', ...fields })
  const answer = await ask(user, 'POST', '/v2/images', { headers: json, body })
  expect(answer.status).toBe(201)
  return (answer.json as unknown as { id: string }).id
}

async function upload(user: User, id: string, body: Buffer = archive): Promise<number> {
  return (await ask(user, 'PUT', `/v2/images/${id}/file`, { headers: bytes, body })).status
}

/** Every route that names an image, with a body that would be taken. */
const routes: readonly (readonly [method: string, path: string, options?: Ask])[] = [
  ['GET', '/v2/images/{id}'],
  ['PATCH', '/v2/images/{id}', { headers: patches, body: '[{"op":"replace","path":"/name","value":"x"}]' }],
  ['DELETE', '/v2/images/{id}'],
  ['GET', '/v2/images/{id}/file'],
  ['PUT', '/v2/images/{id}/file', { headers: bytes, body: 'x' }],
  ['PUT', '/v2/images/{id}/tags/x'],
  ['DELETE', '/v2/images/{id}/tags/x'],
  ['GET', '/v2/images/{id}/members'],
  ['POST', '/v2/images/{id}/members', { headers: json, body: '{"member":"x"}' }],
  ['GET', '/v2/images/{id}/members/x'],
  ['PUT', '/v2/images/{id}/members/x', { headers: json, body: '{"status":"accepted"}' }],
  ['DELETE', '/v2/images/{id}/members/x'],
  ['HEAD', '/v1/images/{id}'],
  ['GET', '/v1/images/{id}'],
  ['DELETE', '/v1/images/{id}'],
]

describe('walls', () => {
  test('what another project may not see is as if it were not there, on every route', async () => {
    const id = await newImage(demo, { name: 'hidden', visibility: 'private' })
    expect(await upload(demo, id)).toBe(204)
    const nowhere = '00000000-0000-4000-8000-000000000000'
    for (const [method, path, options] of routes) {
      const [theirs, none] = [
        await ask(other, method, path.replace('{id}', id), options),
        await ask(other, method, path.replace('{id}', nowhere), options),
      ]
      expect([method, path, theirs.status]).toEqual([method, path, 404])
      expect(theirs.text.replaceAll(id, nowhere)).toBe(none.text)
    }
    for (const path of ['/v2/images?limit=1000', '/v2/images?visibility=all', '/v1/images/detail']) {
      expect((await ask(other, 'GET', path)).text).not.toContain(id)
    }
    expect((await ask(other, 'GET', `/v2/images?marker=${id}`)).status).toBe(400)
    expect((await ask(demo, 'GET', `/v2/images/${id}`)).json).toMatchObject({ name: 'hidden', status: 'active' })
  })

  test('what a project only sees it cannot change, on any route', async () => {
    const id = await newImage(demo, { name: 'lent', visibility: 'shared' })
    expect(await upload(demo, id)).toBe(204)
    const member = { headers: json, body: JSON.stringify({ member: other.projectId }) }
    expect((await ask(demo, 'POST', `/v2/images/${id}/members`, member)).status).toBe(200)
    expect((await ask(demo, 'POST', `/v2/images/${id}/members`, member)).status).toBe(409)
    const changing = routes.filter(([method, path]) => method !== 'GET' && method !== 'HEAD' && !path.endsWith('/x'))
    for (const [method, path, options] of changing) {
      const { status } = await ask(other, method, path.replace('{id}', id), options)
      expect([method, path, status]).toEqual([method, path, 403])
    }
    const own = { headers: json, body: '{"status":"accepted"}' }
    expect((await ask(demo, 'PUT', `/v2/images/${id}/members/${other.projectId}`, own)).status).toBe(403)
    expect((await ask(other, 'PUT', `/v2/images/${id}/members/${other.projectId}`, own)).status).toBe(200)
    expect((await ask(other, 'GET', '/v2/images?visibility=shared')).text).toContain(id)
    expect((await ask(other, 'GET', `/v2/images/${id}/file`)).status).toBe(200)
    expect((await ask(demo, 'DELETE', `/v2/images/${id}/members/${other.projectId}`)).status).toBe(204)
    expect((await ask(other, 'GET', `/v2/images/${id}/file`)).status).toBe(404)
  })

  test('without a token only versions are told', async () => {
    const open = async (path: string) => (await server.ask('GET', `/image${path}`)).status
    expect(await open('/')).toBe(300)
    expect(await open('/versions')).toBe(200)
    expect(await open('/v2/images')).toBe(401)
    expect(await open('/v1/images')).toBe(401)
    expect(await open('/v2/schemas/image')).toBe(401)
  })

  test('only administrators make an image public, and nobody makes one for others', async () => {
    const post = async (body: object) =>
      (await ask(demo, 'POST', '/v2/images', { headers: json, body: JSON.stringify(body) })).status
    expect(await post({ visibility: 'public' })).toBe(403)
    expect(await post({ owner: other.projectId })).toBe(403)
    expect(await post({ status: 'active' })).toBe(403)
    const id = await newImage(other, {})
    expect(await post({ id })).toBe(409)
  })
})

describe('content', () => {
  test('comes once', async () => {
    const id = await newImage(demo, { name: 'once' })
    expect((await ask(demo, 'GET', `/v2/images/${id}/file`)).status).toBe(204)
    expect(await upload(demo, id)).toBe(204)
    expect(await upload(demo, id)).toBe(409)
  })

  test('that is no archive leaves the image queued, and may come again', async () => {
    const id = await newImage(demo, { name: 'again' })
    for (const bad of [Buffer.alloc(0), Buffer.from('hello'), archive.subarray(0, 5000), Buffer.alloc(300_000, 7)]) {
      expect(await upload(demo, id, bad)).toBe(400)
      expect((await ask(demo, 'GET', `/v2/images/${id}`)).json).toMatchObject({ status: 'queued' })
    }
    expect(await upload(demo, id)).toBe(204)
  })

  test('that a kill cut off leaves the image queued', { timeout: 60_000 }, async () => {
    const id = await newImage(demo, { name: 'cut' })
    const { Readable } = await import('node:stream')
    const halting = Readable.from(
      (async function* () {
        yield archive.subarray(0, 100_000)
        await server.kill9()
      })(),
    )
    await ask(demo, 'PUT', `/v2/images/${id}/file`, { headers: bytes, body: halting }).catch(() => undefined)
    await server.start()
    expect((await ask(demo, 'GET', `/v2/images/${id}`)).json).toMatchObject({ status: 'queued' })
    expect(await upload(demo, id)).toBe(204)
  })

  test('of the newest image of a name is what its name means; the older ones keep theirs in Glance', async () => {
    const ids = [await newImage(demo, { name: 'same' }), await newImage(demo, { name: 'same' })]
    for (const id of ids) expect(await upload(demo, id)).toBe(204)
    const answer = await ask(demo, 'GET', '/v2/images?name=same')
    const { images } = answer.json as unknown as { images: { id: string }[] }
    expect(images.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    for (const id of ids) expect((await ask(demo, 'DELETE', `/v2/images/${id}`)).status).toBe(204)
  })
})

describe('lists', () => {
  test('are paged, sorted and filtered', async () => {
    const names = ['l1', 'l2', 'l3', 'l4', 'l5']
    for (const [at, name] of names.entries()) await newImage(demo, { name, tags: [name, 'paged'], min_ram: at })
    const seen: string[] = []
    let next: string | undefined = '/v2/images?tag=paged&limit=2&sort=name:asc'
    while (next !== undefined) {
      const page = (await ask(demo, 'GET', next)).json as unknown as { images: { name: string }[]; next?: string }
      seen.push(...page.images.map(({ name }) => name))
      next = page.next
    }
    expect(seen).toEqual(names)
    const found = async (query: string) => {
      const answer = (await ask(demo, 'GET', `/v2/images?tag=paged&sort_key=name&sort_dir=asc&${query}`)).json
      return (answer as unknown as { images: { name: string }[] }).images.map(({ name }) => name)
    }
    expect(await found('name=in:l1,l3')).toEqual(['l1', 'l3'])
    expect(await found('tag=l2')).toEqual(['l2'])
    expect(await found('min_ram=4')).toEqual(['l5'])
    expect(await found('status=active')).toEqual([])
    expect(await found('created_at=gt:2020-01-01T00:00:00Z')).toEqual(names)
    expect(await found('created_at=lt:2020-01-01T00:00:00Z')).toEqual([])
    expect(await found('owner=nobody')).toEqual([])
  })
})

describe('bad input', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.constantFrom(
        'name',
        'tags',
        'visibility',
        'min_disk',
        'protected',
        'id',
        'owner',
        'container_format',
        '__proto__',
        'constructor',
        'size',
      ),
      fc.oneof(fc.jsonValue(), fc.constantFrom('shared', 'docker', null, -1, 1e300, 'x\0y')),
    ),
    fc.array(
      fc.record(
        {
          op: fc.constantFrom('add', 'remove', 'replace', 'move', 1),
          path: fc.oneof(fc.string(), fc.constantFrom('/name', '/tags', '/a~1b', '/__proto__', '/id')),
          value: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    ),
  )
  const isRefusal = (status: number) => status < 500 || status === 501

  test('in a body is never a failure of the server', { timeout: 120_000 }, async () => {
    const id = await newImage(demo, { name: 'tried' })
    const shapes = [
      ['POST', '/v2/images', json],
      ['PATCH', `/v2/images/${id}`, patches],
      ['POST', `/v2/images/${id}/members`, json],
      ['PUT', `/v2/images/${id}/members/x`, json],
    ] as const
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...shapes), anything, async ([method, path, headers], value) => {
        const { status, text } = await ask(demo, method, path, { headers, body: JSON.stringify(value) })
        expect([status, isRefusal(status), text]).toEqual([status, true, text])
      }),
      { numRuns: 300 },
    )
    for (const [method, path, headers] of shapes) {
      for (const body of ['', '{', 'null', '[null]', '[[]]', '[{"op":"add","path":"/x"}]']) {
        expect(isRefusal((await ask(demo, method, path, { headers, body })).status)).toBe(true)
      }
    }
  })

  test('in a query, a path or a header is never a failure of the server', { timeout: 120_000 }, async () => {
    const words = fc.constantFrom(
      'limit',
      'marker',
      'sort',
      'sort_key',
      'sort_dir',
      'visibility',
      'member_status',
      'size_min',
      'created_at',
      'name',
      'tag',
      'owner',
      'os_hidden',
      'is_public',
      '__proto__',
      'x',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/v2/images', '/v1/images/detail'),
        fc.array(fc.tuple(words, fc.string())),
        async (path, query) => {
          const { status } = await ask(demo, 'GET', `${path}?${new URLSearchParams(query).toString()}`)
          expect(isRefusal(status)).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        fc.string({ minLength: 1 }),
        async ([method, path, options], ref) => {
          const { status } = await ask(demo, method, path.replace('{id}', encodeURIComponent(ref)), options)
          expect(isRefusal(status)).toBe(true)
        },
      ),
      { numRuns: 100 },
    )
    const fields = fc.constantFrom(
      'name',
      'is_public',
      'min_disk',
      'disk_format',
      'id',
      'size',
      'property-a',
      'property-__proto__',
      'protected',
      'x',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fields,
            fc.string().filter((text) => /^[\x20-\x7e]*$/.test(text)),
          ),
        ),
        async (said) => {
          const headers = Object.fromEntries(said.map(([key, value]) => [`x-image-meta-${key}`, value]))
          const { status } = await ask(demo, 'POST', '/v1/images', { headers })
          expect(isRefusal(status)).toBe(true)
        },
      ),
      { numRuns: 100 },
    )
  })
})
