import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { oneError } from './zun-errors.ts'

/** What breaks clients if it is missed, over a real socket and with raw requests; the server behind is a fake. */
let cloud: FakeCloud
beforeEach(async () => {
  cloud = await fakeCloud()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const run = (body: object = {}, version = '1.40') =>
  cloud.ask('POST', '/v1/containers?run=true', { version, body: { image: 'busybox', name: 'test', ...body } })

describe('discovery', () => {
  test.each(['', '/', '//'])('the root "%s" is open and names the current version', async (path) => {
    const { status, json } = await cloud.ask('GET', path, { token: null, version: '9.9' })
    expect(status).toBe(200)
    const current = { id: 'v1', status: 'CURRENT', min_version: '1.1', max_version: '1.40' }
    expect(json).toMatchObject({
      name: expect.any(String),
      versions: [{ ...current, links: [{ href: `${cloud.origin}/container/v1/`, rel: 'self' }] }],
      default_version: current,
    })
  })

  test.each(['/v1', '/v1/'])('%s lists the collections', async (path) => {
    const { status, json } = await cloud.ask('GET', path, { token: null })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      id: 'v1',
      media_types: [expect.any(Object)],
      containers: [
        { href: `${cloud.origin}/container/v1/containers/`, rel: 'self' },
        { href: `${cloud.origin}/container/containers/`, rel: 'bookmark' },
      ],
      registries: expect.any(Array),
    })
  })
})

describe('versions', () => {
  test.each([
    [undefined, '1.1'],
    ['1.12', '1.12'],
    ['latest', '1.40'],
  ])('asking for %s is answered with %s', async (version, echoed) => {
    const { headers } = await cloud.ask('GET', '/v1/containers', version === undefined ? {} : { version })
    expect(headers.get('openstack-api-version')).toBe(`container ${echoed}`)
    expect(headers.get('openstack-api-minimum-version')).toBe('container 1.1')
    expect(headers.get('openstack-api-maximum-version')).toBe('container 1.40')
    expect(headers.get('vary')).toBe('OpenStack-API-Version')
  })

  test('out of range and malformed are 406', async () => {
    const { status, json } = await cloud.ask('GET', '/v1/containers', { version: '1.41' })
    expect(status).toBe(406)
    expect(json).toEqual(oneError('', 406, { min_version: '1.1', max_version: '1.40' }))
    for (const header of ['container 1.latest', 'compute 1.1', '1.1']) {
      const answer = await cloud.ask('GET', '/v1/containers', { headers: { 'openstack-api-version': header } })
      expect(answer.status).toBe(406)
      expect(answer.headers.get('openstack-api-maximum-version')).toBe('container 1.40')
    }
  })

  test.each([
    ['POST', '/v1/containers/test/rename?name=other', '1.14'],
    ['POST', '/v1/containers/test/resize_container', '1.18'],
    ['POST', '/v1/containers/test/network_attach?network=n', '1.7'],
    ['POST', '/v1/containers/test/network_detach?network=n', '1.5'],
    ['GET', '/v1/containers/test/network_list', '1.12'],
    ['POST', '/v1/containers/test/add_security_group?name=x', '1.15'],
    ['GET', '/v1/hosts', '1.3'],
    ['DELETE', '/v1/networks/n', '1.26'],
  ])('%s %s does not exist in %s', async (method, path, version) => {
    await run()
    const { status, json } = await cloud.ask(method, path, { version, token: 'admin' })
    expect(status).toBe(406)
    expect(json).toEqual(oneError('', 406))
  })

  test('delete gates force and stop, but not when they are false', async () => {
    await run()
    for (const [query, version] of [
      ['force=True', '1.6'],
      ['stop=True', '1.11'],
    ]) {
      const answer = await cloud.ask('DELETE', `/v1/containers/test?${query}`, {
        version: String(version),
        token: 'admin',
      })
      expect(answer.json).toEqual(oneError('invalid-param-in-version', 400))
    }
    const refused = await cloud.ask('DELETE', '/v1/containers/test?force=False&stop=False&all_projects=False')
    expect(refused.json).toEqual(oneError('invalid-state-exception', 409))
  })
})

describe('paths and bodies', () => {
  test.each(['/v1/containers', '/v1/containers/', '/v1//containers', '/containers', '//v1//containers//'])(
    '%s is the collection',
    async (path) => {
      expect(await cloud.ask('GET', path)).toMatchObject({ status: 200, json: { containers: [], next: null } })
    },
  )

  test('one container by id and name, with any slashes', async () => {
    const { uuid } = (await run()).json as { uuid: string }
    for (const path of [`/v1/containers/${uuid}`, '/v1/containers/test/', '/v1/containers//test', '/containers/test']) {
      expect(await cloud.ask('GET', `${path}?all_projects=False`)).toMatchObject({ status: 200, json: { uuid } })
    }
  })

  test('a content type without a body is no body', async () => {
    await run()
    for (const type of ['application/json', 'application/octet-stream', 'application/x-www-form-urlencoded']) {
      const headers = { 'content-type': type }
      expect((await cloud.ask('POST', '/v1/containers/test/stop', { headers })).status).toBe(202)
      expect((await cloud.ask('POST', '/v1/containers/test/start', { headers })).status).toBe(202)
      expect((await cloud.ask('GET', '/v1/containers/test', { headers })).status).toBe(200)
    }
    const headers = { 'content-type': 'application/octet-stream' }
    expect((await cloud.ask('DELETE', '/v1/containers/test?stop=True', { headers, version: '1.40' })).status).toBe(204)
  })

  test('arguments come in the query or in a JSON body', async () => {
    await run()
    const last = () => cloud.control.calls.at(-1)
    await cloud.ask('POST', '/v1/containers/test/kill', { body: { signal: 'TERM' } })
    expect(last()).toEqual({ name: 'containers.kill', args: ['test', 'TERM'] })
    await cloud.ask('POST', '/v1/containers/test/start')
    await cloud.ask('POST', '/v1/containers/test/kill?signal=None')
    expect(last()).toEqual({ name: 'containers.kill', args: ['test', 'SIGKILL'] })
    await cloud.ask('POST', '/v1/containers/test/start')
    await cloud.ask('POST', '/v1/containers/test/stop?timeout=7')
    expect(last()).toEqual({ name: 'containers.stop', args: ['test', { graceSeconds: 7 }] })
    await cloud.ask('POST', '/v1/containers/test/start')
    await cloud.ask('POST', '/v1/containers/test/execute', { body: { command: `sh -c 'echo "a b"'` } })
    expect(last()?.args[1]).toMatchObject({ command: ['sh', '-c', 'echo "a b"'], tty: false })
    await cloud.ask('POST', '/v1/containers/test/rename', { body: { name: 'newer' } })
    expect((await cloud.ask('GET', '/v1/containers/newer')).status).toBe(200)
  })

  test.each([
    ['POST', '/v1/containers/test/stop?timeout=-1'],
    ['POST', '/v1/containers/test/stop?timeout=soon'],
    ['POST', '/v1/containers/test/stop?timeout=99999999999'],
    ['POST', '/v1/containers/test/kill?signal=NOSUCH'],
    ['POST', '/v1/containers/test/kill?signal=a%20b'],
    ['POST', '/v1/containers/test/execute'],
    ['POST', '/v1/containers/test/execute?command=%22open'],
    ['POST', '/v1/containers/test/execute?command=ls&run=maybe'],
    ['POST', '/v1/containers/test/resize?h=0&w=1'],
    ['POST', '/v1/containers/test/resize?h=1'],
    ['POST', '/v1/containers/test/execute_resize?exec_id=abc&h=1&w=1'],
    ['POST', `/v1/containers/test/execute_resize?exec_id=${'e'.repeat(64)}&h=1&w=1`],
    ['POST', '/v1/containers/test/commit'],
    ['POST', '/v1/containers/test/rename?name=-'],
    ['POST', '/v1/containers/test/put_archive?path=/tmp'],
    ['GET', '/v1/containers/test/logs?tail=few'],
    ['GET', '/v1/containers/test/logs?since=yesterday'],
    ['GET', '/v1/containers/test/logs?stdout=2'],
    ['GET', '/v1/containers/test/get_archive'],
    ['GET', '/v1/containers/test/get_archive?path=/nowhere'],
    ['GET', '/v1/containers/test/attach'],
    ['GET', '/v1/containers?limit=0'],
    ['GET', '/v1/containers?limit=x'],
    ['GET', '/v1/containers?sort_key=secret'],
    ['GET', '/v1/containers?sort_dir=up'],
    ['GET', '/v1/containers?colour=red'],
    ['GET', '/v1/containers?memory=lots'],
    ['PUT', '/v1/services/enable'],
    ['PUT', '/v1/services/enable?host=compute1'],
    ['DELETE', '/v1/services'],
  ])('%s %s is 400', async (method, path) => {
    await run()
    const { status, json } = await cloud.ask(method, path, { token: path.includes('services') ? 'admin' : 'demo' })
    expect(status).toBe(400)
    expect(json).toEqual(oneError('', 400, { code: expect.stringMatching(/^container\.[a-z-]+$/) }))
  })

  test('null, not an empty body, where there is nothing to say', async () => {
    await run()
    for (const [path, status] of [
      ['stop', 202],
      ['start', 202],
      ['resize?h=24&w=80', 200],
    ] as const) {
      const answer = await cloud.ask('POST', `/v1/containers/test/${path}`)
      expect(answer).toMatchObject({ status, text: 'null' })
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    }
    const gone = await cloud.ask('DELETE', '/v1/containers/test?stop=True', { version: '1.40' })
    expect(gone).toMatchObject({ status: 204, text: '' })
    expect(gone.headers.get('content-type')).toBeNull()
    expect(await cloud.ask('GET', '/v1/containers/test')).toMatchObject({ status: 404 })
  })
})

describe('errors', () => {
  test('no token, or a bad one, is answered the way the authentication layer does', async () => {
    for (const token of [null, 'stolen']) {
      const { status, json, headers } = await cloud.ask('GET', '/v1/containers', { token })
      expect(status).toBe(401)
      expect(json).toEqual({ error: { code: 401, title: expect.any(String), message: expect.any(String) } })
      expect(headers.get('www-authenticate')).toBe(`Keystone uri="${cloud.origin}/identity"`)
      expect(headers.get('x-openstack-request-id')).toMatch(/^req-/)
    }
  })

  test('404, 405 with Allow, 406, 415', async () => {
    expect((await cloud.ask('GET', '/v1/nothing')).json).toEqual(oneError('', 404))
    const wrongMethod = await cloud.ask('PUT', '/v1/containers/test')
    expect(wrongMethod.json).toEqual(oneError('', 405))
    expect(wrongMethod.headers.get('allow')).toBe('DELETE, GET, HEAD, PATCH')
    expect((await cloud.ask('GET', '/v1/networks/x', { version: '1.40' })).status).toBe(405)
    for (const accept of ['text/html', 'image/*, text/plain', 'application/json;q=0']) {
      expect((await cloud.ask('GET', '/v1/containers', { headers: { accept } })).json).toEqual(oneError('', 406))
    }
    for (const accept of ['*/*', 'text/html, application/json;q=0.5', 'application/*']) {
      expect((await cloud.ask('GET', '/v1/containers', { headers: { accept } })).status).toBe(200)
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
      const answer = await cloud.ask('POST', '/v1/containers', {
        body: 'image=busybox',
        headers: { 'content-type': type },
      })
      expect(answer.json).toEqual(oneError('', 415))
    }
  })

  test('malformed JSON is 400, a wrong state 409, a doubled name 409, a foreign one 404', async () => {
    expect((await cloud.ask('POST', '/v1/containers', { body: '{"image":' })).json).toEqual(
      oneError('schema-validation-error', 400),
    )
    await run()
    expect((await cloud.ask('POST', '/v1/containers/test/start')).json).toEqual(
      oneError('invalid-state-exception', 409),
    )
    await run()
    expect((await cloud.ask('GET', '/v1/containers/test')).json).toEqual(oneError('conflict', 409))
    expect((await cloud.ask('GET', '/v1/containers/none')).json).toEqual(oneError('container-not-found', 404))
    const forced = await cloud.ask('DELETE', '/v1/containers/none?force=True', { version: '1.40' })
    expect(forced.status).toBe(403)
  })

  test('title and detail are the same sentence for what the client did', async () => {
    const { json } = await cloud.ask('GET', '/v1/containers/none')
    const [error] = (json as { errors: { title: string; detail: string }[] }).errors
    expect(error?.title).toBe('Container none could not be found.')
    expect(error?.detail).toBe(error?.title)
  })
})
