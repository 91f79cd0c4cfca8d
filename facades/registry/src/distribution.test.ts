import { Readable } from 'node:stream'
import { createHttpApp } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import pino from 'pino'
import { expect, test } from 'vitest'
import { distributionRoutes } from './distribution.ts'
import { registryErrors } from './errors.ts'
import { digestOf, fakeRepository } from './testing/fake-repository.ts'

async function anApp() {
  const repository = fakeRepository()
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  await app.register(
    async (v2) => {
      v2.setErrorHandler(registryErrors(() => 'Basic realm="test"'))
      distributionRoutes(v2, async ({ headers }) => {
        if (headers['x-stranger']) throw new Fault('auth.required', { reason: 'a stranger' })
        return { repository: () => repository, mayTakeFrom: (name) => name === 'demo/other' }
      })
    },
    { prefix: '/v2' },
  )
  return { app, repository }
}

const hello = 'hello registry'
const octets = { 'content-type': 'application/octet-stream' }

test('both spellings of the root say that this is a registry', async () => {
  const { app } = await anApp()
  for (const url of ['/v2', '/v2/']) {
    const answer = await app.inject(url)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
  }
  const refused = await app.inject({ url: '/v2/', headers: { 'x-stranger': '1' } })
  expect(refused.statusCode).toBe(401)
  expect(refused.headers['www-authenticate']).toBe('Basic realm="test"')
  expect(refused.json()).toEqual({ errors: [{ code: 'UNAUTHORIZED', message: expect.any(String), detail: null }] })
})

test('a blob comes in one piece, in a stream, in chunks, or from another repository', async () => {
  const { app, repository } = await anApp()
  const digest = digestOf(hello)
  const whole = await app.inject({
    method: 'POST',
    url: `/v2/demo/app/blobs/uploads/?digest=${digest}`,
    headers: octets,
    payload: hello,
  })
  expect([whole.statusCode, whole.headers['location']]).toEqual([201, `/v2/demo/app/blobs/${digest}`])
  expect(repository.blobs.get(digest)?.toString()).toBe(hello)

  const begun = await app.inject({ method: 'POST', url: '/v2/demo/app/blobs/uploads/' })
  expect([begun.statusCode, begun.headers['range']]).toEqual([202, '0-0'])
  const at = String(begun.headers['location'])
  const chunk = (payload: string, range: string) =>
    app.inject({ method: 'PATCH', url: at, headers: { ...octets, 'content-range': range }, payload })
  expect((await chunk('hello', '0-4')).headers['range']).toBe('0-4')
  const early = await chunk('hello', '0-4')
  expect([early.statusCode, early.headers['range'], early.headers['location']]).toEqual([416, '0-4', at])
  expect(early.json().errors[0].code).toBe('BLOB_UPLOAD_INVALID')
  expect((await chunk('hello', '5-7')).statusCode).toBe(400)
  expect((await app.inject(at)).headers['range']).toBe('0-4')
  const last = await app.inject({
    method: 'PUT',
    url: `${at}?digest=${digestOf('hello!')}`,
    headers: octets,
    payload: '!',
  })
  expect([last.statusCode, last.headers['docker-content-digest']]).toEqual([201, digestOf('hello!')])

  const mount = (from: string) => `/v2/demo/app/blobs/uploads/?mount=${digest}&from=${from}`
  expect((await app.inject({ method: 'POST', url: mount('demo/other') })).statusCode).toBe(201)
  expect((await app.inject({ method: 'POST', url: mount('secret/thing') })).statusCode).toBe(202)
})

test('a blob of a wrong digest is refused, and an upload that nobody was told of is gone', async () => {
  const { app, repository } = await anApp()
  const url = `/v2/demo/app/blobs/uploads/?digest=${digestOf('other')}`
  const answer = await app.inject({ method: 'POST', url, headers: octets, payload: Readable.from([hello]) })
  expect([answer.statusCode, answer.json().errors[0].code]).toEqual([400, 'DIGEST_INVALID'])
  expect(repository.uploads.size).toBe(0)
})

test('a blob is given in parts', async () => {
  const { app, repository } = await anApp()
  const digest = digestOf(hello)
  repository.blobs.set(digest, Buffer.from(hello))
  const url = `/v2/demo/app/blobs/${digest}`
  const head = await app.inject({ method: 'HEAD', url })
  expect([head.statusCode, head.headers['content-length'], head.headers['accept-ranges']]).toEqual([200, '14', 'bytes'])
  const part = await app.inject({ url, headers: { range: 'bytes=6-' } })
  expect([part.statusCode, part.headers['content-range'], part.body]).toEqual([206, 'bytes 6-13/14', 'registry'])
  const beyond = await app.inject({ url, headers: { range: 'bytes=14-' } })
  expect([beyond.statusCode, beyond.headers['content-range']]).toEqual([416, 'bytes */14'])
  const known = await app.inject({ url, headers: { 'if-none-match': `"${digest}"` } })
  expect([known.statusCode, known.body]).toEqual([304, ''])
  expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(202)
  expect((await app.inject(url)).json().errors[0].code).toBe('BLOB_UNKNOWN')
})

test('manifests come back as they went in, JSON or not', async () => {
  const { app } = await anApp()
  const content = '{"schemaVersion":2,  "subject":{"digest":"sha256:1"}}'
  const put = await app.inject({
    method: 'PUT',
    url: '/v2/demo/app/manifests/v1',
    headers: { 'content-type': 'application/json' },
    payload: content,
  })
  expect([put.statusCode, put.headers['oci-subject']]).toEqual([201, 'sha256:1'])
  expect(put.headers['location']).toBe(`/v2/demo/app/manifests/${digestOf(content)}`)
  const got = await app.inject('/v2/demo/app/manifests/v1')
  expect([got.body, got.headers['content-type']]).toEqual([content, 'application/json'])
  const large = Buffer.alloc((4 << 20) + 1, ' ')
  const refused = await app.inject({ method: 'PUT', url: '/v2/demo/app/manifests/v2', headers: octets, payload: large })
  expect([refused.statusCode, refused.json().errors[0].code]).toEqual([413, 'SIZE_INVALID'])
})

test('tags come in pages', async () => {
  const { app, repository } = await anApp()
  for (const tag of ['a', 'b', 'c']) await repository.putManifest(tag, { mediaType: 'm', content: Buffer.from('{}') })
  const first = await app.inject('/v2/demo/app/tags/list?n=2')
  expect(first.json()).toEqual({ name: 'demo/app', tags: ['a', 'b'] })
  expect(first.headers['link']).toBe('</v2/demo/app/tags/list?last=b&n=2>; rel="next"')
  const second = await app.inject('/v2/demo/app/tags/list?last=b&n=2')
  expect([second.json().tags, second.headers['link']]).toEqual([['c'], undefined])
  expect((await app.inject('/v2/demo/app/tags/list?n=0')).json().tags).toEqual([])
  expect((await app.inject('/v2/demo/app/tags/list?n=x')).statusCode).toBe(400)
})

test('referrers are an index, and say when they were chosen', async () => {
  const { app } = await anApp()
  const all = await app.inject(`/v2/demo/app/referrers/${digestOf('x')}`)
  expect(all.headers['content-type']).toBe('application/vnd.oci.image.index.v1+json')
  expect(all.json().manifests[0]).toMatchObject({ artifactType: 'a/b', annotations: { k: 'v' } })
  const none = await app.inject(`/v2/demo/app/referrers/${digestOf('x')}?artifactType=c/d`)
  expect([none.json().manifests, none.headers['oci-filters-applied']]).toEqual([[], 'artifactType'])
})

test('what is not there is told in the same shape', async () => {
  const { app } = await anApp()
  for (const [method, url, status] of [
    ['GET', '/v2/demo', 404],
    ['GET', '/v2/demo/app/nothing/x', 404],
    ['POST', '/v2/demo/app/tags/list', 405],
    ['PATCH', '/v2/demo/app/blobs/uploads/none', 404],
    ['PUT', '/v2/demo/app/blobs/uploads/none', 400],
  ] as const) {
    const answer = await app.inject({ method, url })
    expect([url, answer.statusCode]).toEqual([url, status])
    expect(answer.json()).toEqual({ errors: [expect.objectContaining({ code: expect.stringMatching(/^[A-Z_]+$/) })] })
  }
})
