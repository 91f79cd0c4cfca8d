import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { createUpstream, registryAddresses, type RunningUpstream } from './index.ts'
import { digestOf, ociManifest, sendError, sendManifest, testServer } from './testing/test-server.ts'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const opened: RunningUpstream[] = []
const signal = new AbortController().signal
function upstream(mayConnect: (address: string, domain: string) => boolean = () => true): RunningUpstream {
  const made = createUpstream({ mayConnect, log })
  opened.push(made)
  return made
}
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

const content = Buffer.from('{"schemaVersion":2}')
const layer = randomBytes(3_000_000)

test('a manifest comes with its type, its digest and all types asked for', async () => {
  let accept = ''
  await using server = await testServer((request, response) => {
    accept = request.headers.accept ?? accept
    sendManifest(response, content)
  })
  const found = await upstream().manifest({ domain: server.domain, path: 'team/app' }, 'v1', null, signal)
  expect(found).toEqual({ mediaType: ociManifest, digest: digestOf(content), content })
  expect(server.asked.at(-1)).toBe('GET /v2/team/app/manifests/v1 -')
  expect(accept.split(', ')).toHaveLength(4)
})

test('what is not there is refused in the registry’s words, once', async () => {
  await using server = await testServer((request, response) => {
    sendError(response, 404, 'MANIFEST_UNKNOWN', 'manifest\u001b[31m unknown\n')
  })
  await expect(upstream().manifest({ domain: server.domain, path: 'a' }, 'none', null, signal)).rejects.toMatchObject({
    code: 'registry.refused',
    message: 'manifest unknown: manifest [31m unknown',
  })
  expect(server.asked.filter((line) => line.includes('manifests'))).toHaveLength(1)
})

test('names and tags that no registry can have go nowhere', async () => {
  const registry = upstream()
  const bad = [
    ['127.0.0.1:1', '../v2/x', 'a'],
    ['127.0.0.1:1', 'a', '../../x'],
    ['127.0.0.1:1', 'a?b', 'latest'],
    ['user@127.0.0.1:1', 'a', 'latest'],
    ['127.0.0.1:1/x', 'a', 'latest'],
    ['127.0.0.1:99999', 'a', 'latest'],
  ] as const
  for (const [domain, path, reference] of bad) {
    await expect(registry.manifest({ domain, path }, reference, null, signal)).rejects.toMatchObject({
      code: 'request.invalid',
    })
  }
})

test('a manifest that is another one, or without an end, is refused', async () => {
  await using server = await testServer((request, response) => {
    if (request.url?.endsWith('/endless') !== true) return sendManifest(response, content)
    response.writeHead(200, { 'content-type': ociManifest })
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, ' '))) continue
    }
    response.on('drain', more)
    more()
  })
  const registry = upstream()
  const at = { domain: server.domain, path: 'a' }
  await expect(registry.manifest(at, digestOf(layer), null, signal)).rejects.toMatchObject({
    code: 'registry.refused',
    message: expect.stringContaining(digestOf(content)),
  })
  await expect(registry.manifest(at, 'endless', null, signal)).rejects.toMatchObject({
    code: 'registry.refused',
    message: expect.stringMatching(/larger than/),
  })
})

test('a registry that asks for patience is asked again', async () => {
  let count = 0
  await using server = await testServer((request, response) => {
    count += 1
    if (count < 3) sendError(response, count === 1 ? 429 : 503, 'TOOMANYREQUESTS', 'slow down')
    else sendManifest(response, content)
  })
  const found = await upstream().manifest({ domain: server.domain, path: 'a' }, 'b', null, signal)
  expect(found.digest).toBe(digestOf(content))
  expect(count).toBe(3)
})

test('one that asks for more patience than people have is told of at once', async () => {
  await using server = await testServer((_request, response) => {
    sendError(response, 429, 'TOOMANYREQUESTS', 'rate limit', { 'retry-after': '3600' })
  })
  await expect(upstream().manifest({ domain: server.domain, path: 'a' }, 'b', null, signal)).rejects.toMatchObject({
    code: 'registry.unreachable',
    message: 'toomanyrequests: rate limit',
  })
  expect(server.asked).toHaveLength(1)
})

test('a blob that breaks off is continued where it ended', async () => {
  const ranges: (string | undefined)[] = []
  await using server = await testServer((request, response) => {
    const { range } = request.headers
    ranges.push(range)
    const start = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
    const rest = layer.subarray(start)
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': rest.length,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${layer.length - 1}/${layer.length}` } : {}),
    })
    if (ranges.length > 2) response.end(rest)
    else response.write(rest.subarray(0, 1_000_000), () => response.destroy())
  })
  const { size, body } = await upstream().blob({ domain: server.domain, path: 'a' }, digestOf(layer), null, signal)
  expect(size).toBe(layer.length)
  expect(digestOf(await buffer(body))).toBe(digestOf(layer))
  expect(ranges).toEqual([undefined, 'bytes=1000000-2999999', 'bytes=2000000-2999999'])
})

test('a blob that cannot be continued ends with a fault, not with an end', async () => {
  await using server = await testServer((_request, response) => {
    response.writeHead(200, { 'content-length': layer.length })
    response.write(layer.subarray(0, 1000), () => response.destroy())
  })
  const { body } = await upstream().blob({ domain: server.domain, path: 'a' }, digestOf(layer), null, signal)
  await expect(buffer(body)).rejects.toMatchObject({ code: 'registry.unreachable' })
})

test('who lets go of a blob lets go of the connection; who gives up gets its own reason', async () => {
  let ended = 0
  await using server = await testServer((request, response) => {
    response.on('close', () => (ended += 1))
    response.writeHead(200, { 'content-length': layer.length })
    response.write(layer.subarray(0, 1000))
  })
  const registry = upstream()
  const at = { domain: server.domain, path: 'a' }
  const first = await registry.blob(at, digestOf(layer), null, signal)
  first.body.destroy()
  await expect.poll(() => ended).toBe(1)
  const giveUp = new AbortController()
  const second = await registry.blob(at, digestOf(layer), null, giveUp.signal)
  const reading = buffer(second.body)
  giveUp.abort(new Error('enough'))
  await expect(reading).rejects.toThrow('enough')
  await expect.poll(() => ended).toBe(2)
})

test('a redirect is followed without the login, and never to where nobody may go', async () => {
  await using store = await testServer((_request, response) => response.end(layer))
  let isTrap = false
  await using server = await testServer((request, response) => {
    if (request.headers.authorization === undefined) {
      return sendError(response, 401, 'UNAUTHORIZED', 'authentication required', {
        'www-authenticate': 'Basic realm="x"',
      })
    }
    const location = isTrap ? `http://localhost:${new URL(store.url).port}/x` : `${store.url}/blob?signature=1`
    response.writeHead(307, { location }).end()
  })
  const registry = upstream((_address, domain) => !domain.startsWith('localhost'))
  const login = { username: 'u', password: 'p-4711' }
  const at = { domain: server.domain, path: 'a' }
  const { body } = await registry.blob(at, digestOf(layer), login, signal)
  expect(digestOf(await buffer(body))).toBe(digestOf(layer))
  expect(store.asked).toEqual(['GET /blob?signature=1 -'])
  isTrap = true
  await expect(registry.blob(at, digestOf(layer), login, signal)).rejects.toMatchObject({
    code: 'registry.refused',
    message: expect.stringContaining("a network that is not the tenant's"),
  })
  expect(store.asked).toHaveLength(1)
})

test('no address is connected to that is not allowed, by whatever name', async () => {
  await using server = await testServer((_request, response) => response.end())
  const { port } = new URL(server.url)
  const registry = upstream(() => false)
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1']) {
    await expect(
      registry.manifest({ domain: `${host}:${port}`, path: 'a' }, 'b', null, signal),
      host,
    ).rejects.toMatchObject({ code: 'registry.refused' })
  }
  expect(server.asked).toEqual([])
})

test('plain HTTP is for the loopback interface and for what the operator names', async () => {
  await using server = await testServer((request, response) => {
    sendManifest(response, content)
  })
  // 127.0.0.1 by a name that nobody takes for the loopback interface.
  const domain = `${(await import('node:os')).hostname()}:${new URL(server.url).port}`
  await expect(upstream().manifest({ domain, path: 'a' }, 'b', null, signal)).rejects.toMatchObject({
    code: 'registry.unreachable',
  })
  const named = createUpstream({ mayConnect: () => true, log, insecure: registryAddresses([server.domain]) })
  opened.push(named)
  await expect(named.manifest({ domain: server.domain, path: 'a' }, 'b', null, signal)).resolves.toBeDefined()
})

test('a registry that is not there is unreachable', async () => {
  await expect(upstream().manifest({ domain: '127.0.0.1:1', path: 'a' }, 'b', null, signal)).rejects.toMatchObject({
    code: 'registry.unreachable',
    message: expect.stringContaining('127.0.0.1:1'),
  })
})

test('search asks the old index, where there is one', async () => {
  await using server = await testServer((request, response) => {
    const results = [{ name: 'a/b', description: null, star_count: 3, is_official: true }, { nothing: 1 }, 7]
    response.end(JSON.stringify({ results }))
  })
  await using empty = await testServer((_request, response) => void response.writeHead(404).end())
  const registry = upstream()
  expect(await registry.search(server.domain, 'a b&c', 5, signal)).toEqual([
    { name: 'a/b', description: '', official: true, automated: false, stars: 3 },
  ])
  expect(server.asked.at(-1)).toBe('GET /v1/search?q=a+b%26c&n=5 -')
  expect(await registry.search(empty.domain, 'a', 5, signal)).toEqual([])
})
