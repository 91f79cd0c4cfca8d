import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anImage, contentOf, digestOf, indexType, manifestType, push } from '../fixtures/image-content.ts'
import { type Ask, type LoneServer, startLoneServer, type Told } from '../fixtures/lone-server.ts'

/** Every end point of the OCI distribution spec 1.1, by raw HTTP. */
let server: LoneServer
beforeAll(async () => {
  server = await startLoneServer()
})
afterAll(async () => server?.[Symbol.asyncDispose]())

const octets = { 'content-type': 'application/octet-stream' }
const ask = (method: string, path: string, options: Omit<Ask, 'user'> = {}) =>
  server.ask(method, path, { user: server.demo, ...options })
const codeOf = ({ json }: { json: Record<string, unknown> }) => (json['errors'] as { code: string }[])[0]?.code
const begin = async (repository: string) =>
  String((await ask('POST', `/v2/${repository}/blobs/uploads/`)).headers['location'])
const patch = (at: string, body: Ask['body'], range?: string) =>
  ask('PATCH', at, { headers: { ...octets, ...(range && { 'content-range': range }) }, ...(body && { body }) })

describe('end-1', () => {
  test('the root says what this is, to those who have logged in', async () => {
    for (const path of ['/v2', '/v2/']) {
      expect((await ask('GET', path)).status).toBe(200)
      const refused = await server.ask('GET', path)
      expect(refused.status).toBe(401)
      expect(refused.headers['docker-distribution-api-version']).toBe('registry/2.0')
      expect(refused.headers['www-authenticate']).toBe(
        `Bearer realm="${server.api}/v2/token",service="${server.domain}"`,
      )
    }
  })
})

describe('blobs', () => {
  const blob = contentOf(randomBytes(100_000))
  const url = `/v2/demo/blobs/blobs/${blob.digest}`

  test('are sent in one request (end-4b)', async () => {
    const at = `/v2/demo/blobs/blobs/uploads/?digest=${blob.digest}`
    const told = await ask('POST', at, { headers: octets, body: blob.content })
    expect([told.status, told.headers['location']]).toEqual([201, url])
    expect(told.headers['docker-content-digest']).toBe(blob.digest)
    const wrong = await ask('POST', at, { headers: octets, body: 'something else' })
    expect([wrong.status, codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    const none = await ask('POST', '/v2/demo/blobs/blobs/uploads/?digest=md5:1', { headers: octets, body: 'x' })
    expect([none.status, codeOf(none)]).toEqual([400, 'DIGEST_INVALID'])
  })

  test('are sent as one stream, and in one PUT (end-4a, end-5, end-6)', async () => {
    const stream = contentOf(randomBytes(300_000))
    const at = await begin('demo/blobs')
    const told = await patch(at, stream.content)
    expect([told.status, told.headers['range']]).toEqual([202, '0-299999'])
    const done = await ask('PUT', `${told.headers['location']}?digest=${stream.digest}`)
    expect([done.status, done.headers['location']]).toEqual([201, `/v2/demo/blobs/blobs/${stream.digest}`])
    const put = contentOf(randomBytes(1000))
    const whole = await ask('PUT', `${await begin('demo/blobs')}?digest=${put.digest}`, {
      headers: octets,
      body: put.content,
    })
    expect(whole.status).toBe(201)
    // The upload is over with that.
    expect(codeOf(await ask('GET', at))).toBe('BLOB_UPLOAD_UNKNOWN')
  })

  test('are sent in chunks, and only in order', async () => {
    const [one, two, three] = [randomBytes(1000), randomBytes(2000), randomBytes(500)]
    const at = await begin('demo/blobs')
    expect((await patch(at, one, '0-999')).headers['range']).toBe('0-999')
    for (const [chunk, range, status] of [
      [two, '2000-3999', 416],
      [one, '0-999', 416],
      [two, '1000-1500', 400],
      [two, 'nonsense', 400],
    ] as const) {
      const refused = await patch(at, chunk, range)
      expect([range, refused.status]).toEqual([range, status])
      if (status === 416) expect([refused.headers['range'], refused.headers['location']]).toEqual(['0-999', at])
    }
    const far = await ask('GET', at)
    expect([far.status, far.headers['range'], far.headers['location']]).toEqual([204, '0-999', at])
    expect(far.headers['docker-upload-uuid']).toMatch(/^[0-9a-f-]{36}$/)
    expect((await patch(at, two, '1000-2999')).status).toBe(202)
    const digest = digestOf(Buffer.concat([one, two, three]))
    const unfit = await ask('PUT', `${at}?digest=${digest}`)
    expect([unfit.status, codeOf(unfit)]).toEqual([400, 'DIGEST_INVALID'])
    const last = await ask('PUT', `${at}?digest=${digest}`, {
      headers: { ...octets, 'content-range': '3000-3499' },
      body: three,
    })
    expect(last.status).toBe(201)
    expect(digestOf((await ask('GET', String(last.headers['location']))).body)).toBe(digest)
  })

  test('are looked at and fetched, whole and in parts (end-2)', async () => {
    const head = await ask('HEAD', url)
    expect([head.status, head.headers['content-length'], head.text]).toEqual([200, '100000', ''])
    const whole = await ask('GET', url)
    expect([whole.status, whole.body.equals(blob.content)]).toEqual([200, true])
    const part = await ask('GET', url, { headers: { range: 'bytes=99000-' } })
    expect([part.status, part.headers['content-range']]).toEqual([206, 'bytes 99000-99999/100000'])
    expect(part.body.equals(blob.content.subarray(99_000))).toBe(true)
    const beyond = await ask('GET', url, { headers: { range: 'bytes=100000-' } })
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */100000'])
    const known = await ask('GET', url, { headers: { 'if-none-match': String(whole.headers['etag']) } })
    expect(known.status).toBe(304)
    const unknown = await ask('GET', `/v2/demo/blobs/blobs/${digestOf('nothing')}`)
    expect([unknown.status, codeOf(unknown)]).toEqual([404, 'BLOB_UNKNOWN'])
    expect(codeOf(await ask('GET', '/v2/demo/blobs/blobs/nonsense'))).toBe('DIGEST_INVALID')
  })

  test('are taken over from another repository, or an upload begins (end-11)', async () => {
    const mount = (digest: string) => ask('POST', `/v2/demo/taken/blobs/uploads/?mount=${digest}&from=demo/blobs`)
    const told = await mount(blob.digest)
    expect([told.status, told.headers['location']]).toEqual([201, `/v2/demo/taken/blobs/${blob.digest}`])
    const other = await mount(digestOf('nothing'))
    expect(other.status).toBe(202)
    expect((await ask('DELETE', String(other.headers['location']))).status).toBe(204)
    expect(codeOf(await ask('DELETE', String(other.headers['location'])))).toBe('BLOB_UPLOAD_UNKNOWN')
  })

  test('are let go (end-10)', async () => {
    const idle = contentOf('nobody needs it')
    await ask('POST', `/v2/demo/blobs/blobs/uploads/?digest=${idle.digest}`, { headers: octets, body: idle.content })
    expect((await ask('DELETE', `/v2/demo/blobs/blobs/${idle.digest}`)).status).toBe(202)
    expect((await ask('GET', `/v2/demo/blobs/blobs/${idle.digest}`)).status).toBe(404)
    expect((await ask('DELETE', `/v2/demo/blobs/blobs/${idle.digest}`)).status).toBe(404)
  })
})

describe('uploads that break off', () => {
  const content = randomBytes(4 << 20)
  const digest = digestOf(content)

  /** Sends the first half and lets the connection go. */
  async function sendHalf(at: string): Promise<void> {
    const call = request(new URL(at, server.api), {
      method: 'PATCH',
      headers: { ...octets, 'x-auth-token': server.demo.token, 'content-length': content.length },
    })
    call.on('error', () => undefined)
    await new Promise((resolve) => call.write(content.subarray(0, content.length / 2), resolve))
    await sleep(300)
    call.destroy()
  }

  /** Goes on from where the server says it is. */
  async function goOn(at: string): Promise<void> {
    const far = await ask('GET', at)
    expect(far.status).toBe(204)
    const rest = (from: number) => patch(at, content.subarray(from), `${from}-${content.length - 1}`)
    const endOf = (told: Told) => Number(String(told.headers['range']).split('-')[1]) + 1
    let told = await rest(endOf(far))
    // What had come was still being written.
    if (told.status === 416) told = await rest(endOf(told))
    expect([told.status, endOf(told)]).toEqual([202, content.length])
    expect((await ask('PUT', `${at}?digest=${digest}`)).status).toBe(201)
    expect(digestOf((await ask('GET', `/v2/demo/resumed/blobs/${digest}`)).body)).toBe(digest)
    expect((await ask('DELETE', `/v2/demo/resumed/blobs/${digest}`)).status).toBe(202)
  }

  test('because the client is cut off go on from there', async () => {
    const at = await begin('demo/resumed')
    await sendHalf(at)
    await goOn(at)
  })

  test('because the connection hangs go on over another', async () => {
    const at = await begin('demo/resumed')
    const call = request(new URL(at, server.api), {
      method: 'PATCH',
      headers: { ...octets, 'x-auth-token': server.demo.token, 'content-length': content.length },
    })
    call.on('error', () => undefined)
    await new Promise((resolve) => call.write(content.subarray(0, 1 << 20), resolve))
    await sleep(200)
    await goOn(at)
    call.destroy()
  })

  test('because the server is killed go on at the next one', async () => {
    const at = await begin('demo/resumed')
    await patch(at, content.subarray(0, 1 << 20), `0-${(1 << 20) - 1}`)
    const call = request(new URL(at, server.api), {
      method: 'PATCH',
      headers: { ...octets, 'x-auth-token': server.demo.token },
    })
    call.on('error', () => undefined)
    call.write(content.subarray(1 << 20, 2 << 20))
    await sleep(200)
    await server.kill9()
    await server.start()
    await goOn(at)
  })
})

describe('manifests', () => {
  test('are put, read by tag and digest, and deleted (end-3, end-7, end-9)', async () => {
    const image = anImage('manifests')
    const put = await push(server, server.demo, 'demo/app', 'one', image)
    expect([put.status, put.headers['docker-content-digest']]).toEqual([201, image.manifest.digest])
    expect(put.headers['location']).toBe(`/v2/demo/app/manifests/${image.manifest.digest}`)
    for (const reference of ['one', image.manifest.digest]) {
      const got = await ask('GET', `/v2/demo/app/manifests/${reference}`)
      expect([got.status, got.headers['content-type']]).toEqual([200, manifestType])
      expect(got.body.equals(image.manifest.content)).toBe(true)
      const head = await ask('HEAD', `/v2/demo/app/manifests/${reference}`)
      expect([head.status, head.headers['docker-content-digest']]).toEqual([200, image.manifest.digest])
      expect(head.headers['content-length']).toBe(String(image.manifest.content.length))
    }
    await push(server, server.demo, 'demo/app', 'two', image)
    expect((await ask('DELETE', '/v2/demo/app/manifests/one')).status).toBe(202)
    expect(codeOf(await ask('GET', '/v2/demo/app/manifests/one'))).toBe('MANIFEST_UNKNOWN')
    expect((await ask('GET', '/v2/demo/app/manifests/two')).status).toBe(200)
    expect((await ask('DELETE', `/v2/demo/app/manifests/${image.manifest.digest}`)).status).toBe(202)
    for (const reference of ['two', image.manifest.digest]) {
      expect((await ask('GET', `/v2/demo/app/manifests/${reference}`)).status).toBe(404)
    }
    expect((await ask('DELETE', `/v2/demo/app/manifests/${image.manifest.digest}`)).status).toBe(404)
  })

  test('that are none, lack a part, or have another digest are refused', async () => {
    const put = (reference: string, body: string | Buffer, type = manifestType) =>
      ask('PUT', `/v2/demo/app/manifests/${reference}`, { headers: { 'content-type': type }, body })
    expect(codeOf(await put('bad', 'no JSON'))).toBe('MANIFEST_INVALID')
    expect(codeOf(await put('bad', '{}'))).toBe('MANIFEST_INVALID')
    expect(codeOf(await put('bad', '[]', 'text/plain'))).toBe('MANIFEST_INVALID')
    const lacking = await put('bad', anImage('never pushed').manifest.content)
    expect([lacking.status, codeOf(lacking)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
    const image = anImage('digests')
    await push(server, server.demo, 'demo/app', 'digests', image)
    const unfit = await put(digestOf('other'), image.manifest.content)
    expect([unfit.status, codeOf(unfit)]).toEqual([400, 'DIGEST_INVALID'])
    const large = await put('bad', Buffer.alloc((4 << 20) + 1, ' '))
    expect([large.status, codeOf(large)]).toEqual([413, 'SIZE_INVALID'])
    const tag = await put('-bad-', image.manifest.content)
    expect([tag.status, codeOf(tag)]).toEqual([400, 'TAG_INVALID'])
  })

  test('of several platforms stand on those of each', async () => {
    const [one, two] = [anImage('amd64'), anImage('arm64')]
    for (const image of [one, two]) await push(server, server.demo, 'demo/multi', image.manifest.digest, image)
    const parts = [one, two].map(({ manifest: { digest, content } }) => ({
      mediaType: manifestType,
      digest,
      size: content.length,
    }))
    const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: parts })
    const put = await ask('PUT', '/v2/demo/multi/manifests/all', {
      headers: { 'content-type': indexType },
      body: index,
    })
    expect(put.status).toBe(201)
    expect((await ask('GET', '/v2/demo/multi/manifests/all')).text).toBe(index)
  })
})

describe('lists', () => {
  test('of tags and repositories come in pages (end-8)', async () => {
    const image = anImage('tags')
    for (const tag of ['c', 'a', 'b']) await push(server, server.demo, 'demo/tagged', tag, image)
    expect((await ask('GET', '/v2/demo/tagged/tags/list')).json).toEqual({ name: 'demo/tagged', tags: ['a', 'b', 'c'] })
    const first = await ask('GET', '/v2/demo/tagged/tags/list?n=2')
    expect([first.json['tags'], first.headers['link']]).toEqual([
      ['a', 'b'],
      '</v2/demo/tagged/tags/list?last=b&n=2>; rel="next"',
    ])
    const next = await ask('GET', '/v2/demo/tagged/tags/list?last=b&n=2')
    expect([next.json['tags'], next.headers['link']]).toEqual([['c'], undefined])
    expect(codeOf(await ask('GET', '/v2/demo/nothing/tags/list'))).toBe('NAME_UNKNOWN')
    await push(server, server.demo, 'demo/tagged-too', 'a', image)
    const all = (await ask('GET', '/v2/_catalog')).json['repositories'] as unknown as string[]
    expect(all).toEqual(all.toSorted())
    expect(all).toEqual(expect.arrayContaining(['demo/tagged', 'demo/tagged-too']))
    const page = await ask('GET', '/v2/_catalog?n=1&last=demo/tagged')
    expect(page.json).toEqual({ repositories: ['demo/tagged-too'] })
  })

  test('of what says something about a manifest (end-12)', async () => {
    const subject = anImage('subject')
    await push(server, server.demo, 'demo/signed', 'v1', subject)
    const about = {
      artifactType: 'application/x.signature',
      subject: { mediaType: manifestType, digest: subject.manifest.digest, size: subject.manifest.content.length },
      annotations: { by: 'demo' },
    }
    const signature = anImage('signature', about)
    const put = await push(server, server.demo, 'demo/signed', signature.manifest.digest, signature)
    expect(put.headers['oci-subject']).toBe(subject.manifest.digest)
    const url = `/v2/demo/signed/referrers/${subject.manifest.digest}`
    const told = await ask('GET', url)
    expect([told.status, told.headers['content-type']]).toEqual([200, indexType])
    expect(told.json).toEqual({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [
        {
          mediaType: manifestType,
          digest: signature.manifest.digest,
          size: signature.manifest.content.length,
          artifactType: 'application/x.signature',
          annotations: { by: 'demo' },
        },
      ],
    })
    const none = await ask('GET', `${url}?artifactType=other`)
    expect([none.json['manifests'], none.headers['oci-filters-applied']]).toEqual([[], 'artifactType'])
    const nothing = await ask('GET', `/v2/demo/signed/referrers/${digestOf('nothing')}`)
    expect([nothing.status, nothing.json['manifests']]).toEqual([200, []])
    expect(codeOf(await ask('GET', '/v2/demo/signed/referrers/nonsense'))).toBe('DIGEST_INVALID')
  })
})

test('a quota that is used up is said, and not a broken connection', async () => {
  const user = await server.newUser('small')
  const limits = JSON.stringify({ imageBytes: 1 << 20 })
  const set = await server.ask('PATCH', `/v1/quotas/${user.projectId}`, {
    user: server.admin,
    headers: { 'content-type': 'application/json' },
    body: limits,
  })
  expect(set.status).toBe(200)
  const begun = await server.ask('POST', '/v2/small/app/blobs/uploads/', { user })
  const told = await server.ask('PATCH', String(begun.headers['location']), {
    user,
    headers: octets,
    body: randomBytes(8 << 20),
  })
  expect([told.status, codeOf(told), told.text]).toEqual([403, 'DENIED', expect.stringContaining('Quota exceeded')])
})

test('bad input is told in the shape of the spec, and never an error of the server', async () => {
  const long = `demo/${'a'.repeat(300)}`
  for (const [method, path, status] of [
    ['GET', '/v2/UPPER/app/tags/list', 400],
    ['GET', '/v2/demo/tags/list', 400],
    ['GET', `/v2/${long}/tags/list`, 400],
    ['GET', '/v2/demo/app/what', 404],
    ['PUT', '/v2/demo/app/tags/list', 405],
    ['POST', '/v2/demo/app/manifests/x', 405],
    ['PATCH', '/v2/demo/app/blobs/uploads/not-an-upload', 404],
    ['PUT', '/v2/demo/app/blobs/uploads/not-an-upload?digest=x', 404],
    ['PUT', '/v2/demo/app/blobs/uploads/not-an-upload', 400],
    ['GET', '/v2/demo/app/tags/list?n=-1', 400],
    ['GET', '/v2/demo/app/manifests/%00', 404],
    ['GET', '/v2/_catalog?n=x', 400],
  ] as const) {
    const told = await ask(method, path)
    expect([method, path, told.status]).toEqual([method, path, status])
    expect(told.json['errors']).toEqual([
      { code: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringMatching(/\w/), detail: null },
    ])
  }
})
