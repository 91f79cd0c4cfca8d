import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { type Frame, FrameDecoder } from '@gantry/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ServedCloud, serveFakeCloud } from './testing/index.ts'

const demo = { 'x-auth-token': 'demo-token' }
const base = (cloud: ServedCloud): string => `http://127.0.0.1:${cloud.port}`

async function ask(cloud: ServedCloud, method: string, path: string, body?: unknown, token = 'demo-token') {
  const headers = { 'x-auth-token': token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const response = await fetch(base(cloud) + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

describe('containers', () => {
  test('are created, listed by page, shown, changed and deleted', async () => {
    await using cloud = await serveFakeCloud()
    const made = await ask(cloud, 'POST', '/v1/containers', {
      image: 'busybox',
      name: 'web',
      cpu: 0.5,
      labels: { a: 'b' },
    })
    expect(made.status).toBe(202)
    expect(made.body).toMatchObject({ name: 'web', cpu: 0.5, memory: 512, labels: { a: 'b' }, status: 'Creating' })
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'db' })
    const first = await ask(cloud, 'GET', '/v1/containers?limit=1')
    expect(first.body.containers.map((one: { name: string }) => one.name)).toEqual(['db'])
    const second = await ask(cloud, 'GET', `/v1/containers?limit=1&marker=${first.body.next}`)
    expect(second.body).toMatchObject({ containers: [{ name: 'web' }], next: null })
    expect((await ask(cloud, 'PATCH', '/v1/containers/web', { memory: 64 })).body.memory).toBe(64)
    expect((await ask(cloud, 'POST', '/v1/containers/web/rename', { name: 'www' })).body.name).toBe('www')
    expect((await ask(cloud, 'DELETE', '/v1/containers/www?force')).status).toBe(202)
  })

  test('are counted by status, those of all projects for administrators', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/v1/containers', { image: 'no-such-image', name: 'web' })
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'job' }, 'other-token')
    await expect
      .poll(async () => (await ask(cloud, 'GET', '/v1/containers/summary')).body)
      .toEqual({ total: 1, byStatus: { Error: 1 }, unhealthy: 0 })
    expect((await ask(cloud, 'GET', '/v1/containers/summary?allProjects', undefined, 'admin-token')).body.total).toBe(2)
    expect((await ask(cloud, 'GET', '/v1/containers/summary?status=Error')).status).toBe(400)
    expect((await ask(cloud, 'GET', '/v1/containers?health=poorly')).status).toBe(400)
    expect((await ask(cloud, 'GET', '/v1/events?last=0')).status).toBe(400)
  })

  test('answers carry the request id and errors explain themselves', async () => {
    await using cloud = await serveFakeCloud()
    const missing = await ask(cloud, 'GET', '/v1/containers/nope')
    expect(missing.status).toBe(404)
    const requestId = missing.headers.get('x-openstack-request-id')
    const message = 'Container nope could not be found.'
    expect(missing.body).toEqual({
      error: { code: 'container.not-found', kind: 'not-found', message, retry: false, requestId },
    })
    expect((await ask(cloud, 'GET', '/v1/nothing-here')).body.error.code).toBe('request.no-route')
    expect((await ask(cloud, 'GET', '/v1/containers', undefined, 'wrong')).status).toBe(401)
    expect((await ask(cloud, 'POST', '/v1/hosts/join-tokens')).status).toBe(403)
    const token = await ask(cloud, 'POST', '/v1/hosts/join-tokens', undefined, 'admin-token')
    expect(token).toMatchObject({ status: 201, body: { token: 'join-me' } })
  })

  test('of another project do not exist, on any route', async () => {
    await using cloud = await serveFakeCloud()
    const { body } = await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web', run: true })
    const routes = await containerRoutesOf(cloud)
    expect(routes.length).toBeGreaterThan(18)
    for (const ref of [body.id, 'web']) {
      for (const [method, path, payload] of routes) {
        const answer = await ask(cloud, method, path.replace('{ref}', ref), payload, 'other-token')
        expect([method, path, answer.status]).toEqual([method, path, 404])
      }
    }
  })
})

/** Every documented route on one container, with a query and body that pass its checks. */
async function containerRoutesOf(cloud: ServedCloud): Promise<[string, string, unknown][]> {
  const document = await ask(cloud, 'GET', '/openapi.json')
  const queries: Record<string, string> = {
    '/v1/containers/{ref}/exec': '?args=eyJjb21tYW5kIjpbImxzIl19',
    '/v1/containers/{ref}/archive': '?path=/x',
    '/v1/containers/{ref}/resize': '?rows=1&columns=1',
    '/v1/containers/{ref}/exec/{execId}/resize': '?rows=1&columns=1',
    detachNetwork: '?network=n',
    removeSecurityGroup: '?securityGroup=g',
  }
  const bodies: Record<string, unknown> = {
    updateContainer: { cpu: 1 },
    renameContainer: { name: 'xx' },
    commitContainer: { repository: 'r' },
    attachNetwork: { network: 'n' },
    addSecurityGroup: { securityGroup: 'g' },
  }
  return Object.entries(document.body.paths as Record<string, Record<string, { operationId: string }>>)
    .filter(([path]) => path.startsWith('/v1/containers/{ref}'))
    .flatMap(([path, methods]) =>
      Object.entries(methods)
        // Its body is a tar, which this helper does not send.
        .filter(([, { operationId }]) => operationId !== 'putArchive')
        .map(([method, { operationId }]): [string, string, unknown] => {
          const body = bodies[operationId]
          return [method.toUpperCase(), path + (queries[operationId] ?? queries[path] ?? ''), body]
        }),
    )
}

interface Operation {
  readonly method: string
  readonly path: string
  readonly query: string[]
}

function operationsOf(document: {
  paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>
}): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [] }]) => {
      const query = parameters.filter((one) => one.in === 'query').map((one) => one.name)
      return { method: method.toUpperCase(), path, query }
    }),
  )
}

describe('bad input', () => {
  const fields = [
    'image',
    'name',
    'command',
    'environment',
    'cpu',
    'memory',
    'restartPolicy',
    'labels',
    'workdir',
    'tty',
    'nets',
    'mounts',
    'securityGroups',
    'registry',
  ]

  test('in any field of create is 400 or accepted, never 500, and leaves nothing behind when refused', async () => {
    await using cloud = await serveFakeCloud()
    const property = fc.asyncProperty(
      fc.constantFrom(...fields, 'unknown', '__proto__', 'constructor'),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom('x\u0000y', -1, 1e308, 0, '', [], {}, 'a'.repeat(70_000), { 'a\nb': 5 }),
      ),
      async (field, value) => {
        const before = cloud.containers.count()
        const text = `{"image":"busybox",${JSON.stringify(field)}:${JSON.stringify(value)}}`
        const answer = await ask(cloud, 'POST', '/v1/containers', text)
        expect([202, 400, 409]).toContain(answer.status)
        if (answer.status !== 202) expect(cloud.containers.count()).toBe(before)
        if (answer.status === 400) expect(answer.body.error.kind).toBe('invalid')
      },
    )
    await fc.assert(property, { numRuns: 250 })
  })

  test.each([
    ['POST', '/v1/containers', '{'],
    ['POST', '/v1/containers', '[]'],
    ['POST', '/v1/containers', 'null'],
    ['POST', '/v1/containers', undefined],
    ['POST', '/v1/containers', '{"image":"b","cpu":1e400}'],
    ['POST', '/v1/containers', '{"image":"b","environment":{"a\\nb":5}}'],
    ['POST', '/v1/containers', '{"image":"b","environment":{"a=b":"5"}}'],
    ['POST', '/v1/containers', '{"image":"b","surprise":1}'],
    ['POST', '/v1/containers', '{"image":"b","nets":[{}]}'],
    ['POST', '/v1/containers', '{"image":"b","nets":[{"network":"a","port":"b"}]}'],
    ['POST', '/v1/containers', '{"image":"b","nets":[{"port":"b","addresses":["10.0.0.1"]}]}'],
    ['POST', '/v1/containers', '{"image":"b","mounts":[{"destination":"/x"}]}'],
    ['POST', '/v1/containers', '{"image":"b","mounts":[{"destination":"/x","size":1,"source":"v"}]}'],
    ['POST', '/v1/containers', '{"image":"b","mounts":[{"destination":"x","size":1}]}'],
    ['POST', '/v1/containers/x/networks', '{}'],
    ['DELETE', '/v1/containers/x/networks', undefined],
    ['DELETE', '/v1/containers/x/security-groups', undefined],
    ['POST', '/v1/networks', '{}'],
    ['POST', '/v1/networks', undefined],
    ['POST', '/v1/subnets', '{"network":"public","cidr":"ten"}'],
    ['PATCH', '/v1/ports/x', '{}'],
    ['POST', '/v1/security-groups/x/rules', '{"direction":"sideways"}'],
    ['POST', '/v1/security-groups/x/rules', '{"direction":"ingress","remotePrefix":"0.0.0.0/0","remoteGroup":"x"}'],
    ['PUT', '/v1/routers/x/gateway', '{}'],
    ['POST', '/v1/routers/x/interfaces', '{}'],
    ['DELETE', '/v1/routers/x/interfaces?subnet=a&port=b', undefined],
    ['POST', '/v1/floating-ips/x/forwardings', '{"externalPort":70000,"internalPort":1,"port":"p"}'],
    ['POST', '/v1/volumes', '{"name":"v"}'],
    ['POST', '/v1/volumes', '{"name":"v","size":0}'],
    ['POST', '/v1/snapshots', '{}'],
    ['POST', '/v1/capsules', '{}'],
    ['POST', '/v1/capsules', '{"template":"{"}'],
    ['GET', '/v1/capsules?limit=0', undefined],
    ['PATCH', '/v1/containers/x', '{}'],
    ['GET', '/v1/containers?limit=0', undefined],
    ['GET', '/v1/containers?limit=1&limit=2', undefined],
    ['GET', '/v1/containers?limit=ten', undefined],
    ['GET', '/v1/containers?sort=secret', undefined],
    ['GET', '/v1/containers?surprise=1', undefined],
    ['GET', '/v1/containers/%ff', undefined],
    ['GET', '/v1/containers/x/logs?tail=-1', undefined],
    ['POST', '/v1/containers/x/exec?args=!!', undefined],
    ['POST', '/v1/containers/x/exec', undefined],
    ['POST', '/v1/containers/x/stop?graceSeconds=999999', undefined],
    ['GET', '/v1/containers/x/archive?path=a%00b', undefined],
    ['PUT', '/v1/containers/x/archive?path=/', '{}'],
  ])('%s %s %s is 400', async (method, path, body) => {
    await using cloud = await serveFakeCloud()
    expect((await ask(cloud, method, path, body)).status).toBe(400)
  })

  test('in any query or path, on any route, is an answer below 500', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web', run: true })
    const { body: document } = await ask(cloud, 'GET', '/openapi.json')
    const routes = operationsOf(document)
    const strange = fc.oneof(
      fc.string(),
      fc.constantFrom('', '-1', '1e9', '../..', 'true', '99999999999999999999', '\u0000', 'all'),
    )
    const property = fc.asyncProperty(fc.constantFrom(...routes), fc.infiniteStream(strange), async (route, stream) => {
      const next = (): string => encodeURIComponent(String(stream.next().value).toWellFormed())
      const path = route.path.replace('{ref}', 'web').replace(/\{\w+\}/g, () => next() || 'x')
      const query = route.query.map((name) => `${name}=${next()}`).join('&')
      const leave = AbortSignal.timeout(2000)
      const answer = await fetch(`${base(cloud)}${path}?${query}`, {
        method: route.method,
        headers: demo,
        signal: leave,
      })
      await answer.body?.cancel()
      expect(answer.status === 501 || answer.status < 500, `${route.method} ${path}?${query}: ${answer.status}`).toBe(
        true,
      )
    })
    await fc.assert(property, { numRuns: 300 })
  })

  test('too large a body is 413', async () => {
    await using cloud = await serveFakeCloud()
    const answer = await ask(cloud, 'POST', '/v1/containers', { image: 'a'.repeat(2 * 1024 * 1024) })
    expect(answer).toMatchObject({ status: 413, body: { error: { code: 'request.too-large' } } })
  })
})

describe('streams', () => {
  test('exec is one exchange in both directions', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web', run: true })
    const args = Buffer.from(JSON.stringify({ command: ['cat'] })).toString('base64url')
    const request = http.request(`${base(cloud)}/v1/containers/web/exec?args=${args}`, {
      method: 'POST',
      headers: { ...demo, 'content-type': 'application/octet-stream' },
    })
    request.flushHeaders()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    expect(response.headers['x-gantry-exec-id']).toBe('exec-1')
    const frames = response.pipe(new FrameDecoder())[Symbol.asyncIterator]()
    for (const word of ['one', 'two']) {
      request.write(word)
      const { value } = (await frames.next()) as { value: Frame }
      expect(value.payload.toString()).toBe(word)
    }
    request.end()
    const { value } = (await frames.next()) as { value: Frame }
    expect([value.kind, value.payload.toString()]).toEqual([3, '{"exitCode":0}'])
  })

  test('a client that breaks off an attach with its stdin half sent takes nothing with it', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web', run: true, interactive: true })
    const gone = Promise.withResolvers<void>()
    cloud.containers.api.attach = async (_caller, _ref, input, signal) => {
      // As a call to a host does: it minds the input's errors until it is cancelled, which comes just before the error.
      const mind = () => undefined
      input?.on('error', mind)
      signal.addEventListener('abort', () => process.nextTick(() => input?.off('error', mind)))
      signal.addEventListener('abort', () => gone.resolve())
      return { framed: false, output: new PassThrough() }
    }
    const request = http.request(`${base(cloud)}/v1/containers/web/attach`, {
      method: 'POST',
      headers: { ...demo, 'content-type': 'application/octet-stream' },
    })
    request.on('error', () => undefined).write('half')
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    expect(response.headers['content-type']).toBe('application/vnd.docker.raw-stream')
    response.on('error', () => undefined)
    request.destroy()
    await gone.promise
    expect((await ask(cloud, 'GET', '/v1/containers/web')).status).toBe(200)
  })

  test('the headers of a quiet log come at once, and leaving cancels it', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web', command: ['sleep'], run: true })
    await new Promise((resolve) => setTimeout(resolve, 20))
    const leave = new AbortController()
    const url = `${base(cloud)}/v1/containers/web/logs?follow`
    const response = await fetch(url, { headers: demo, signal: leave.signal })
    expect(response.headers.get('content-type')).toBe('application/vnd.docker.multiplexed-stream')
    leave.abort()
  })

  test('archives larger than the body limit pass through both ways', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web', run: true })
    const url = `${base(cloud)}/v1/containers/web/archive?path=/tmp`
    const tar = Buffer.alloc(3 * 1024 * 1024, 7)
    const put = await fetch(url, {
      method: 'PUT',
      headers: { ...demo, 'content-type': 'application/x-tar' },
      body: tar,
    })
    expect(put.status).toBe(204)
    expect(cloud.containers.seen.archive.equals(tar)).toBe(true)
    const got = await fetch(url, { headers: demo })
    expect(await got.text()).toBe('a tar')
    const stat = JSON.parse(Buffer.from(got.headers.get('x-gantry-path-stat') ?? '', 'base64url').toString())
    expect(stat).toMatchObject({ name: '/tmp', size: 5 })
  })

  test('a source that fails mid-way cuts the connection', async () => {
    await using cloud = await serveFakeCloud()
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web', run: true })
    const args = Buffer.from(JSON.stringify({ command: ['cut'] })).toString('base64url')
    const response = await fetch(`${base(cloud)}/v1/containers/web/exec?args=${args}`, {
      method: 'POST',
      headers: demo,
    })
    await expect(response.text()).rejects.toThrow()
  })

  test('events come as they happen, with heartbeats, until the client leaves', async () => {
    await using cloud = await serveFakeCloud()
    const leave = new AbortController()
    const response = await fetch(`${base(cloud)}/v1/events`, { headers: demo, signal: leave.signal })
    expect(cloud.watchers()).toBe(1)
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'theirs' }, 'other-token')
    await ask(cloud, 'POST', '/v1/containers', { image: 'busybox', name: 'web', command: ['exit', '3'], run: true })
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      if (text.includes('"exitCode":3') && text.includes(': still here')) break
    }
    expect(text).not.toContain('theirs')
    leave.abort()
    while (cloud.watchers() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  })

  test('a refused watch is answered with its own status', async () => {
    await using cloud = await serveFakeCloud()
    expect((await ask(cloud, 'GET', '/v1/events?allProjects')).status).toBe(403)
  })
})
