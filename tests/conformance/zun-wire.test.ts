import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { encodeFrame, frameKinds } from '@gantry/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { streamOf } from '../../facades/zun/src/testing/fake-control.ts'

/** What breaks clients if it is missed, over a real socket and with raw requests; the server behind is a fake. */
let cloud: FakeCloud
beforeEach(async () => {
  cloud = await fakeCloud()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const run = (body: object = {}, version = '1.40') =>
  cloud.ask('POST', '/v1/containers?run=true', { version, body: { image: 'busybox', name: 'test', ...body } })
const oneError = (code: string, status: number, extra: object = {}) => ({
  errors: [
    {
      request_id: '',
      code: `container.${code}`,
      status,
      title: expect.stringMatching(/\S/),
      detail: expect.stringMatching(/\S/),
      links: [],
      ...extra,
    },
  ],
})

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

describe('a container', () => {
  test('is echoed with nulls and shown without them', async () => {
    const created = await run({ restart_policy: { Name: 'on-failure', MaximumRetryCount: 2 }, labels: { a: 1 } })
    const { uuid } = created.json as { uuid: string }
    expect(created.status).toBe(202)
    expect(created.headers.get('location')).toBe(`${cloud.origin}/container/v1/containers/${uuid}`)
    expect(created.json).toMatchObject({
      name: 'test',
      command: null,
      environment: null,
      addresses: null,
      ports: null,
      security_groups: null,
      labels: { a: '1' },
      restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' },
      status: 'Creating',
    })
    const { json } = await cloud.ask('GET', '/v1/containers/test')
    expect(json).toEqual({
      uuid,
      links: [
        { href: `${cloud.origin}/container/v1/containers/${uuid}`, rel: 'self' },
        { href: `${cloud.origin}/container/containers/${uuid}`, rel: 'bookmark' },
      ],
      name: 'test',
      project_id: 'project-demo',
      user_id: 'user-demo',
      image: 'busybox',
      cpu: 1,
      cpu_policy: 'shared',
      memory: '512',
      command: ['sh'],
      status: 'Running',
      status_reason: null,
      task_state: null,
      environment: {},
      workdir: '/',
      auto_remove: false,
      ports: [80],
      hostname: 'c0ffee',
      labels: { a: '1' },
      addresses: {
        'net-1': [{ addr: '172.17.0.2', version: 4, port: 'net-1', subnet_id: 'net-1', preserve_on_delete: false }],
      },
      restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' },
      status_detail: 'Up 3 mins',
      interactive: false,
      tty: false,
      image_driver: 'docker',
      security_groups: [],
      disk: expect.any(Number),
      auto_heal: false,
      healthcheck: {},
      registry_id: null,
      entrypoint: [],
      created_at: '2026-01-02 03:04:05.678000',
      updated_at: null,
    })
  })

  test('shows its host only to administrators', async () => {
    await run()
    const { json } = await cloud.ask('GET', '/v1/containers/test', { token: 'admin' })
    expect(json).toMatchObject({
      host: 'compute1',
      image_pull_policy: 'ifnotpresent',
      runtime: null,
      privileged: false,
    })
    expect((await cloud.ask('GET', '/v1/containers', { token: 'admin' })).text).toContain('"host":"compute1"')
    expect((await cloud.ask('GET', '/v1/containers')).text).not.toContain('compute1')
  })

  test('is changed by PATCH, unchanged by an empty one', async () => {
    await run()
    expect(await cloud.ask('PATCH', '/v1/containers/test', { body: {} })).toMatchObject({ status: 200 })
    expect(cloud.control.calls.at(-1)?.name).toBe('containers.get')
    const changed = await cloud.ask('PATCH', '/v1/containers/test', {
      body: { cpu: '0.5', memory: '256', name: 'other' },
    })
    expect(changed).toMatchObject({ status: 200, json: { cpu: 0.5, memory: '256', name: 'other' } })
    const resized = await cloud.ask('POST', '/v1/containers/other/resize_container', {
      version: '1.19',
      body: { cpu: 2 },
    })
    expect(resized).toMatchObject({ status: 202, json: { cpu: 0.5 } })
    for (const body of [{ image: 'x' }, { cpu: 99 }, { memory: 'x' }, { name: '-' }]) {
      expect((await cloud.ask('PATCH', '/v1/containers/other', { body })).status).toBe(400)
    }
    const same = await cloud.ask('POST', '/v1/containers/other/rename?name=other')
    expect(same.json).toEqual(oneError('conflict', 409))
  })

  test('a command from before 1.20 is split like a shell does', async () => {
    const { json } = await run({ command: '"ping" "-c" "4"' }, '1.12')
    expect(json).toMatchObject({ command: ['ping', '-c', '4'] })
  })

  test('an unknown host is a 404 of its own', async () => {
    const body = { image: 'busybox', host: 'nohost' }
    const { json } = await cloud.ask('POST', '/v1/containers', { token: 'admin', version: '1.40', body })
    expect(json).toEqual(oneError('requested-host-not-found', 404))
  })
})

describe('lists', () => {
  test('page by page, with next cut the way clients cut it', async () => {
    for (const name of ['aa', 'bb', 'cc']) await run({ name })
    const first = await cloud.ask('GET', '/v1/containers/?limit=2&sort_key=name&status=Running')
    const { containers, next } = first.json as { containers: { name: string; links?: unknown }[]; next: string }
    expect(containers.map(({ name }) => name)).toEqual(['aa', 'bb'])
    expect(containers[0]).not.toHaveProperty('links')
    expect(next.startsWith(`${cloud.origin}/v1/containers?`)).toBe(true)
    expect(Object.fromEntries(new URL(next).searchParams)).toMatchObject({
      status: 'Running',
      sort_key: 'name',
      limit: '2',
    })
    const second = await cloud.ask('GET', next.slice(cloud.origin.length))
    expect(second.json).toMatchObject({ containers: [{ name: 'cc' }], next: null })
  })

  test('limit is capped, markers must exist, and nobody filters by what they cannot see', async () => {
    await run()
    await cloud.ask('GET', '/v1/containers?limit=99999')
    expect(cloud.control.calls.at(-1)?.args[0]).toMatchObject({ limit: 1000, sortKey: 'id', descending: false })
    for (const marker of ['test', '00000000-0000-4000-8000-0000000000ff']) {
      const { json } = await cloud.ask('GET', `/v1/containers?marker=${marker}`)
      expect(json).toEqual(oneError('container-not-found', 404))
    }
    const refused = await cloud.ask('GET', '/v1/containers?host=compute1')
    expect(refused.json).toEqual(oneError('policy-not-authorized', 403))
    expect((await cloud.ask('GET', '/v1/containers?host=compute1', { token: 'admin' })).status).toBe(200)
  })

  test('every filter reaches the query', async () => {
    const query =
      'name=a&image=b&project_id=c&user_id=d&memory=512&host=e&task_state=None&status=Running&auto_remove=True'
    await cloud.ask('GET', `/v1/containers?${query}&sort_dir=desc&all_projects=True`, { token: 'admin' })
    const filters = { name: 'a', image: 'b', projectId: 'c', userId: 'd', memory: 512, host: 'e', task: null }
    expect(cloud.control.calls.at(-1)?.args[0]).toEqual({
      filters: { ...filters, status: 'Running', autoRemove: true },
      sortKey: 'id',
      descending: true,
      limit: 1000,
      marker: null,
      allProjects: true,
    })
  })
})

describe('streams', () => {
  const framed = () =>
    streamOf(
      encodeFrame(frameKinds.stdout, Buffer.from('out "1"\n')),
      encodeFrame(frameKinds.stderr, Buffer.from('err\n')),
    )

  test('logs are one JSON string', async () => {
    await run()
    cloud.control.next.logs = { framed: true, output: framed }
    const answer = await cloud.ask('GET', '/v1/containers/test/logs?stdout=True&tail=5&since=2026-01-02%2003:04:05,500')
    expect(answer.json).toBe('out "1"\nerr\n')
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    const since = Date.UTC(2026, 0, 2, 3, 4, 5, 500) / 1000
    expect(cloud.control.calls.at(-1)?.args[1]).toMatchObject({ tail: 5, since, stderr: true, follow: false })
    cloud.control.next.logs = { framed: false, output: () => streamOf() }
    expect((await cloud.ask('GET', '/v1/containers/test/logs?tail=all&since=1700000000')).text).toBe('""')
  })

  test('execute answers with output and exit code', async () => {
    await run()
    cloud.control.next.exec = () =>
      streamOf(
        encodeFrame(frameKinds.stdout, Buffer.from([0x6f, 0xff])),
        encodeFrame(frameKinds.stderr, Buffer.from('err')),
        encodeFrame(frameKinds.end, Buffer.from('{"exitCode":3}')),
      )
    const { status, json } = await cloud.ask(
      'POST',
      '/v1/containers/test/execute?command=%22ls%22&run=True&interactive=False',
    )
    expect(status).toBe(200)
    expect(json).toEqual({ output: 'o\uFFFDerr', exit_code: 3, exec_id: null, proxy_url: null })
  })

  test('execute cuts endless output with a mark and still tells the exit code', async () => {
    await run()
    const mebibyte = encodeFrame(frameKinds.stdout, Buffer.alloc(1024 * 1024, 0x61))
    cloud.control.next.exec = () =>
      streamOf(
        ...Array.from({ length: 10 }, () => mebibyte),
        encodeFrame(frameKinds.end, Buffer.from('{"exitCode":0}')),
      )
    const { json } = await cloud.ask('POST', '/v1/containers/test/execute?command=yes')
    const { output, exit_code } = json as { output: string; exit_code: number }
    expect(exit_code).toBe(0)
    expect(output.length).toBeLessThan(8.1 * 1024 * 1024)
    expect(output).toMatch(/\[output cut after 8388608 bytes\]\n$/)
  })

  test('a command whose end was never told is an error without details', async () => {
    await run()
    cloud.control.next.exec = framed
    const { status, json, headers } = await cloud.ask('POST', '/v1/containers/test/execute?command=ls')
    expect(status).toBe(500)
    const id = String(headers.get('x-openstack-request-id'))
    expect(json).toEqual(oneError('', 500, { detail: expect.stringContaining(id) }))
  })

  test.each([
    ['POST', 'execute?command=sleep+999', 2],
    ['GET', 'logs', 2],
  ])('%s %s ends when the client goes away', async (method, path, signalAt) => {
    await run()
    const source = new Readable({ read() {} })
    source.push(encodeFrame(frameKinds.stdout, Buffer.from('x')))
    cloud.control.next.exec = () => source
    cloud.control.next.logs = { framed: true, output: () => source }
    const socket = connect(Number(new URL(cloud.origin).port), '127.0.0.1')
    socket.write(
      `${method} /container/v1/containers/test/${path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: demo\r\nContent-Length: 0\r\n\r\n`,
    )
    await expect.poll(() => cloud.control.calls.at(-1)?.name).toMatch(/exec|logs/)
    const signal = cloud.control.calls.at(-1)?.args[signalAt] as AbortSignal
    expect(signal.aborted).toBe(false)
    socket.destroy()
    await expect.poll(() => signal.aborted).toBe(true)
    await expect.poll(() => source.destroyed).toBe(true)
  })

  test('a client that does not read holds the logs back', async () => {
    await run()
    let made = 0
    const endless = new Readable({
      read() {
        made += 1
        this.push(Buffer.alloc(64 * 1024, 0x61))
      },
    })
    cloud.control.next.logs = { framed: false, output: () => endless }
    const socket = connect(Number(new URL(cloud.origin).port), '127.0.0.1')
    socket.pause()
    socket.write('GET /container/v1/containers/test/logs HTTP/1.1\r\nHost: x\r\nX-Auth-Token: demo\r\n\r\n')
    let before = -1
    await expect
      .poll(() => (made > 0 && made === before) || void (before = made), { interval: 300, timeout: 10_000 })
      .toBe(true)
    expect(made).toBeLessThan(1000)
    socket.destroy()
    await expect.poll(() => endless.destroyed).toBe(true)
  })

  test('archives are base64 from 1.25 and text before', async () => {
    await run()
    const get = (version: string) => cloud.ask('GET', '/v1/containers/test/get_archive?path=/f', { version })
    const stat = { name: 'f', size: 9, mode: 420, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }
    expect((await get('1.25')).json).toEqual({ data: Buffer.from('tar bytes').toString('base64'), stat })
    expect((await get('1.24')).json).toEqual({ data: 'tar bytes', stat })
    const put = async (version: string, data: string) => {
      const answer = await cloud.ask('POST', '/v1/containers/test/put_archive?path=/tmp', { version, body: { data } })
      expect(answer).toMatchObject({ status: 200, text: 'null' })
      return cloud.control.next.uploaded.toString()
    }
    expect(await put('1.25', Buffer.from('a tar').toString('base64'))).toBe('a tar')
    expect(await put('1.24', 'a \0 tar')).toBe('a \0 tar')
    const both = { path: '/tmp', data: 'YQ==' }
    expect((await cloud.ask('POST', '/v1/containers/test/put_archive', { version: '1.40', body: both })).status).toBe(
      200,
    )
    const foul = await cloud.ask('POST', '/v1/containers/test/put_archive?path=/', {
      version: '1.40',
      body: { data: '?' },
    })
    expect(foul.json).toEqual(oneError('schema-validation-error', 400))
  })

  test('an archive may be larger than other bodies, up to 256 MiB', async () => {
    await run()
    const data = Buffer.alloc(6 * 1024 * 1024, 7).toString('base64')
    const answer = await cloud.ask('POST', '/v1/containers/test/put_archive?path=/', {
      version: '1.40',
      body: { data },
    })
    expect(answer.status).toBe(200)
    expect(cloud.control.next.uploaded.length).toBe(6 * 1024 * 1024)
    const socket = connect(Number(new URL(cloud.origin).port), '127.0.0.1')
    socket.write(
      `POST /container/v1/containers/test/put_archive?path=/ HTTP/1.1\r\nHost: x\r\nX-Auth-Token: demo\r\nContent-Type: application/json\r\nContent-Length: ${257 * 1024 * 1024}\r\n\r\n{"data":"`,
    )
    const reply = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
    expect(reply).toMatch(/^HTTP\/1.1 413 /)
    socket.destroy()
  })
})

describe('everything else', () => {
  test('numbers, processes, actions', async () => {
    await run()
    expect((await cloud.ask('GET', '/v1/containers/test/stats')).json).toEqual({
      CONTAINER: 'test',
      'CPU %': 12.35,
      'MEM USAGE(MiB)': 3,
      'MEM LIMIT(MiB)': 512,
      'MEM %': 0.59,
      'BLOCK I/O(B)': '10/20',
      'NET I/O(B)': '30/40',
    })
    const top = await cloud.ask('GET', '/v1/containers/test/top?ps_args=None')
    expect(top.json).toEqual({ Titles: ['PID', 'CMD'], Processes: [['1', 'ping']] })
    const stopped = await cloud.ask('POST', '/v1/containers/test/stop')
    const id = stopped.headers.get('x-openstack-request-id')
    expect(id).toMatch(/^req-[0-9a-f-]{36}$/)
    const list = await cloud.ask('GET', '/v1/containers/test/container_actions')
    expect(list.json).toMatchObject({ containerActions: [{ action: 'stop', request_id: id }, { action: 'create' }] })
    const action = `/v1/containers/test/container_actions/${id}`
    expect((await cloud.ask('GET', action)).json).toMatchObject({
      start_time: '2026-01-02T03:04:05.678000',
      message: null,
      events: [{ event: 'compute_start', result: 'Success', traceback: null }],
    })
    expect((await cloud.ask('GET', action, { token: 'admin' })).json).toMatchObject({
      events: [{ traceback: 'a trace' }],
    })
    const unknown = await cloud.ask('GET', '/v1/containers/test/container_actions/req-1')
    expect(unknown.json).toEqual(oneError('resource-not-found', 404))
  })

  test('commit, images and search', async () => {
    await run()
    const committed = await cloud.ask('POST', '/v1/containers/test/commit?repository=my/app&tag=v1')
    expect(committed).toMatchObject({ status: 202, json: { uuid: expect.any(String) } })
    const { uuid } = committed.json as { uuid: string }
    const shown = { uuid, repo: 'my/app', tag: 'v1', size: '1234', host: 'compute1', image_id: null }
    expect((await cloud.ask('GET', `/v1/images/${uuid}`)).json).toMatchObject(shown)
    expect((await cloud.ask('GET', '/v1/images/')).json).toMatchObject({ images: [shown], next: null })
    for (const name of ['app', 'my/app', 'my%2Fapp']) {
      const { json } = await cloud.ask('GET', `/v1/images/${name}/search?image_driver=docker`)
      expect(json).toMatchObject([
        { name: 'my/app', is_automated: false, metadata: { is_official: false, star_count: 0 } },
      ])
    }
    expect(await cloud.ask('DELETE', `/v1/images/${uuid}`)).toMatchObject({ status: 200, text: 'null' })
    expect((await cloud.ask('GET', `/v1/images/${uuid}`)).json).toEqual(oneError('image-not-found', 404))
    const pull = { repo: 'alpine', host: 'nohost' }
    expect((await cloud.ask('POST', '/v1/images', { token: 'admin', body: pull })).status).toBe(400)
    const pulled = await cloud.ask('POST', '/v1/images', { token: 'admin', body: { ...pull, host: 'compute1' } })
    expect(pulled).toMatchObject({ status: 202, json: { repo: 'alpine', tag: 'latest' } })
    expect(pulled.headers.get('location')).toContain('/container/v1/images/')
  })

  test('hosts, services and zones', async () => {
    const admin = { token: 'admin', version: '1.40' }
    const hosts = await cloud.ask('GET', '/v1/hosts?limit=1', admin)
    expect(hosts.json).toMatchObject({
      hosts: [{ hostname: 'compute1', mem_total: 16_000, cpus: 8, runtimes: ['runc'] }],
    })
    const { next } = hosts.json as { next: string }
    expect(next.startsWith(`${cloud.origin}/v1/hosts?`)).toBe(true)
    const second = await cloud.ask('GET', next.slice(cloud.origin.length), admin)
    expect(second.json).toMatchObject({ hosts: [{ hostname: 'compute2' }] })
    expect((await cloud.ask('GET', '/v1/hosts/none', admin)).json).toEqual(oneError('compute-node-not-found', 404))
    expect((await cloud.ask('GET', '/v1/hosts', { version: '1.40' })).json).toEqual(
      oneError('policy-not-authorized', 403),
    )
    const disabled = await cloud.ask(
      'PUT',
      '/v1/services/disable?host=compute1&binary=zun-compute&disabled_reason=x',
      admin,
    )
    const service = { host: 'compute1', binary: 'zun-compute', disabled: true, disabled_reason: 'x' }
    expect(disabled.json).toEqual({ service })
    expect((await cloud.ask('GET', '/v1/services', admin)).json).toMatchObject({
      services: [{ ...service, state: 'up', last_seen_up: '2026-01-02T03:04:05.678000' }, { host: 'compute2' }],
    })
    const wrong = await cloud.ask('PUT', '/v1/services/enable?host=compute1&binary=zun-api', admin)
    expect(wrong.json).toEqual(oneError('zun-service-not-found', 404))
    const zones = await cloud.ask('GET', '/v1/availability_zones')
    expect(zones.json).toEqual({ availability_zones: [{ availability_zone: 'nova' }], next: null })
  })

  test('quotas', async () => {
    const flat = { containers: 40, memory: 51_200, cpu: 20, disk: 100 }
    expect((await cloud.ask('GET', '/v1/quotas/p')).json).toEqual(flat)
    expect((await cloud.ask('GET', '/v1/quotas/p?usages=True')).json).toMatchObject({ cpu: { limit: 20, in_use: 0 } })
    expect((await cloud.ask('GET', '/v1/quotas/p/defaults')).json).toEqual(flat)
    const put = (body: object, token = 'admin') => cloud.ask('PUT', '/v1/quotas/p', { token, body })
    expect((await put({ cpu: '3', disk: -1 })).json).toEqual({ ...flat, cpu: 3, disk: -1 })
    for (const body of [{ cpu: -2 }, { cpu: 'x' }, { cpu: 1.5 }, { gpu: 1 }]) expect((await put(body)).status).toBe(400)
    expect((await put({ cpu: 1 }, 'demo')).status).toBe(403)
    expect(await cloud.ask('DELETE', '/v1/quotas/p', { token: 'admin' })).toMatchObject({ status: 200, text: 'null' })
    const set = await cloud.ask('PUT', '/v1/quota_classes/default', { token: 'admin', body: { containers: 1 } })
    expect(set.json).toEqual({ ...flat, containers: 1 })
  })

  test('what is not built yet says so', async () => {
    await run({ interactive: true })
    const ask = async (method: string, path: string, version = '1.40', body: unknown = {}) =>
      (await cloud.ask(method, path, { version, ...(method === 'POST' ? { body } : {}) })).json
    const notBuilt = oneError('not-implemented', 501)
    expect(await ask('GET', '/v1/containers/test/attach')).toEqual(notBuilt)
    expect(await ask('POST', '/v1/containers/test/execute?command=sh&run=False')).toEqual(notBuilt)
    expect(await ask('POST', '/v1/containers/test/network_attach?network=n')).toEqual(notBuilt)
    expect(await ask('POST', '/v1/containers/test/network_detach?network=n')).toEqual(notBuilt)
    expect(await ask('POST', '/v1/containers/test/add_security_group?name=n', '1.14')).toEqual(notBuilt)
    expect(await ask('POST', '/v1/capsules/', '1.40', { template: {} })).toEqual(notBuilt)
    expect(await ask('POST', '/v1/networks')).toEqual(notBuilt)
    expect(await ask('POST', '/v1/registries')).toEqual(notBuilt)
    expect(await ask('GET', '/v1/capsules/x')).toEqual(oneError('container-not-found', 404))
    expect(await ask('GET', '/v1/registries/x')).toEqual(oneError('registry-not-found', 404))
    expect(await ask('DELETE', '/v1/networks/x')).toEqual(oneError('network-not-found', 404))
    expect(await ask('GET', '/v1/capsules/')).toEqual({ capsules: [], next: null })
    const fixed_ips = [{ ip_address: '172.17.0.2', version: 4, subnet_id: 'net-1' }]
    const networks = [{ net_id: 'net-1', port_id: 'net-1', fixed_ips }]
    expect(await ask('GET', '/v1/containers/test/network_list', '1.18')).toEqual({ networks })
    const flat = { net_id: 'net-1', subnet_id: 'net-1', port_id: 'net-1', version: 4, ip_address: '172.17.0.2' }
    expect(await ask('GET', '/v1/containers/test/network_list', '1.17')).toEqual({ networks: [flat] })
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
