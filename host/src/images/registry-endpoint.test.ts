import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RegistryEndpoint, registryEndpoint } from './registry-endpoint.ts'

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }

let folder: string
let server: Server
let answer: (...asked: Parameters<RequestListener>) => unknown
let isAway = false
let endpoint: RegistryEndpoint

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-endpoint-'))
  server = createServer((asked, response) => answer(asked, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  isAway = false
  const dial = async () => {
    if (isAway) throw new Error('away')
    return createConnection((server.address() as AddressInfo).port, '127.0.0.1')
  }
  endpoint = registryEndpoint({ space: null, dial, stateDir: folder, log })
})
afterEach(async () => {
  await endpoint.close()
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

async function ask(method: string, path: string, body?: Buffer): Promise<IncomingMessage> {
  const call = request(`http://${await endpoint.address()}${path}`, { method, headers: { authorization: 'Basic x' } })
  call.end(body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return response
}

test('carries method, path, headers and bytes both ways', async () => {
  answer = ({ method, url, headers }, response) => {
    response.writeHead(201, { 'x-told': `${method} ${url} ${headers.authorization} ${headers.host}` })
    response.end('done')
  }
  const response = await ask('POST', '/v2/a/blobs/uploads/?mount=x', Buffer.from('body'))
  expect(response.statusCode).toBe(201)
  expect(response.headers['x-told']).toBe(`POST /v2/a/blobs/uploads/?mount=x Basic x ${await endpoint.address()}`)
  expect(await text(response)).toBe('done')

  const content = randomBytes(4 << 20)
  answer = async (asked, back) =>
    back.end(
      createHash('sha256')
        .update(await buffer(asked))
        .digest('hex'),
    )
  const hash = await text(await ask('PUT', '/v2/a/blobs/uploads/1', content))
  expect(hash).toBe(createHash('sha256').update(content).digest('hex'))
})

test('is a registry and nothing else', async () => {
  answer = (_asked, response) => response.end('reached')
  expect((await ask('GET', '/v1/containers')).statusCode).toBe(404)
  expect((await ask('GET', '/v2x')).statusCode).toBe(404)
})

test('says when the server is away, and tells who watches', async () => {
  using watch = endpoint.watch('a/b')
  isAway = true
  const response = await ask('GET', '/v2/')
  expect(response.statusCode).toBe(503)
  expect(await text(response)).toContain('cannot be reached')
  expect(watch.problem).toEqual({ kind: 'lost' })
})

test('an answer that breaks off in the middle does so for the engine', async () => {
  using watch = endpoint.watch('a')
  answer = (_asked, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('half')
    setTimeout(() => response.destroy(), 20)
  }
  await expect(text(await ask('GET', '/v2/a/blobs/sha256:1'))).rejects.toThrow('aborted')
  await expect.poll(() => watch.problem).toEqual({ kind: 'lost' })
})

test('an engine that goes away is no loss of the server, which hears of it', async () => {
  using watch = endpoint.watch('a')
  const closed = Promise.withResolvers<void>()
  answer = (_asked, response) => {
    response.once('close', () => closed.resolve())
    response.writeHead(200, { 'content-length': 100 })
    response.write('half')
  }
  const response = await ask('GET', '/v2/a/blobs/sha256:1')
  response.on('error', silent).destroy()
  await closed.promise
  expect(watch.problem).toBeNull()
})

test('remembers what was refused and put, of the repository that is watched', async () => {
  using watch = endpoint.watch('a/b')
  using other = endpoint.watch('a')
  answer = ({ method }, response) => {
    if (method === 'PUT') return response.writeHead(201, { 'docker-content-digest': 'sha256:12' }).end()
    return response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED', message: 'Too much.' }] }))
  }
  await text(await ask('PUT', '/v2/a/b/manifests/tag', Buffer.from('{}')))
  await text(await ask('HEAD', '/v2/a/b/blobs/sha256:1'))
  expect(watch.problem).toBeNull()
  await text(await ask('GET', '/v2/a/b/blobs/sha256:1'))
  await expect.poll(() => watch.problem).toEqual({ kind: 'refused', status: 403, message: 'Too much.' })
  expect([...watch.manifests]).toEqual([['tag', 'sha256:12']])
  expect(other.problem).toBeNull()
})

test('keeps its port when the usual one is taken', async () => {
  const taken = createServer().listen(5042, '127.0.0.1')
  taken.on('error', silent)
  try {
    const first = await endpoint.address()
    await endpoint.close()
    endpoint = registryEndpoint({ space: null, dial: () => Promise.reject(new Error('none')), stateDir: folder, log })
    expect(first).not.toBe('127.0.0.1:5042')
    expect(await endpoint.address()).toBe(first)
  } finally {
    taken.close()
  }
})
