import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createUpstream } from './index.ts'
import { digestOf, ociManifest, sendError, testServer } from './testing/test-server.ts'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const signal = new AbortController().signal
const registry = createUpstream({ mayConnect: () => true, log })
const layer = randomBytes(5_000_000)
const blob = { digest: digestOf(layer), size: layer.length, open: async () => Readable.from([layer]) }

let distribution: ChildProcess
let folder = ''
let domain = ''
beforeAll(async () => {
  folder = await mkdtemp('/tmp/gantry-distribution-')
  domain = `127.0.0.1:${await freePort()}`
  const config = join(folder, 'config.yml')
  const text = `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/data}}\nhttp: {addr: ${domain}}\n`
  await writeFile(config, text)
  distribution = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
  await vi.waitFor(() => fetch(`http://${domain}/v2/`), { timeout: 10_000 })
})
afterAll(async () => {
  const exit = once(distribution, 'exit')
  distribution.kill('SIGKILL')
  await exit
  await registry.close()
  await rm(folder, { recursive: true, force: true })
})

test('an image that is written to a real registry can be read there again', async () => {
  const at = { domain, path: 'team/app' }
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
  expect(await registry.hasBlob(at, blob.digest, null, signal)).toBe(false)
  await registry.putBlob(at, blob, null, signal)
  const configBlob = { digest: digestOf(config), size: config.length, open: async () => Readable.from([config]) }
  await registry.putBlob(at, configBlob, null, signal)
  expect(await registry.hasBlob(at, blob.digest, null, signal)).toBe(true)
  const content = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: configBlob.digest, size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: blob.digest, size: layer.length }],
    }),
  )
  const manifest = { mediaType: ociManifest, digest: digestOf(content), content }
  await registry.putManifest(at, 'v1', manifest, null, signal)
  for (const reference of ['v1', manifest.digest]) {
    expect(await registry.manifest(at, reference, null, signal)).toEqual(manifest)
  }
  const { size, body } = await registry.blob(at, blob.digest, null, signal)
  expect(size).toBe(layer.length)
  expect(digestOf(await buffer(body))).toBe(blob.digest)
})

test('what a real registry does not have, and does not take, is told in its words', async () => {
  const at = { domain, path: 'team/none' }
  await expect(registry.manifest(at, 'v1', null, signal)).rejects.toMatchObject({
    code: 'registry.refused',
    message: 'manifest unknown: manifest unknown',
  })
  await expect(registry.blob(at, blob.digest, null, signal)).rejects.toMatchObject({ code: 'registry.refused' })
  const wrong = { ...blob, digest: digestOf(Buffer.from('other')) }
  await expect(registry.putBlob(at, wrong, null, signal)).rejects.toMatchObject({
    code: 'registry.refused',
    message: expect.stringMatching(/^digest invalid/),
  })
})

test('an upload goes where the registry says, without its login if that is elsewhere, and again if it breaks off', async () => {
  let breaks = 2
  const received: Buffer[] = []
  await using store = await testServer((request, response, body) => {
    breaks -= 1
    if (breaks >= 0) return void request.socket.destroy()
    received.push(body)
    return void response.writeHead(201).end()
  })
  await using server = await testServer((request, response) => {
    if (request.headers.authorization === undefined) {
      return sendError(response, 401, 'UNAUTHORIZED', 'no', { 'www-authenticate': 'Basic realm="x"' })
    }
    return void response.writeHead(202, { location: `${store.url}/up?state=a%3Db` }).end()
  })
  let opened = 0
  const counted = { ...blob, open: async () => Readable.from([layer].slice(0, (opened += 1))) }
  const login = { username: 'u', password: 'p' }
  await registry.putBlob({ domain: server.domain, path: 'a' }, counted, login, signal)
  expect(opened).toBe(3)
  expect(received.map(digestOf)).toEqual([blob.digest])
  expect(store.asked.at(-1)).toBe(`PUT /up?state=a%3Db&digest=${blob.digest.replace(':', '%3A')} -`)
})

test('a store of ours that fails is not the registry’s fault', async () => {
  const failing = { ...blob, open: async () => Promise.reject(new Error('our own disk')) }
  await expect(registry.putBlob({ domain, path: 'a' }, failing, null, signal)).rejects.toThrow('our own disk')
  const broken = new Error('corrupt')
  const breaking = {
    ...blob,
    open: async () =>
      Readable.from(
        (async function* () {
          yield layer.subarray(0, 1000)
          throw broken
        })(),
      ),
  }
  await expect(registry.putBlob({ domain, path: 'a' }, breaking, null, signal)).rejects.toThrow('corrupt')
})

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
