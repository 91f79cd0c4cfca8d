import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readOptions } from './options.ts'
import { otherRegistries } from './other-registries.ts'

const log = pino({ level: 'silent' })
const signal = new AbortController().signal
const server = createServer((_request, response) => response.writeHead(404).end())
let port = 0
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())

/** What a server with this command line and environment is told by the registry on the loopback interface. */
async function told(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const options = readOptions(argv, env)
  if (!options) throw new Error('only help')
  const upstream = otherRegistries(options, log)
  try {
    return await upstream.manifest({ domain: `127.0.0.1:${port}`, path: 'a' }, 'b', null, signal)
  } catch (error) {
    return (error as Error).message
  } finally {
    await upstream.close()
  }
}

test('registries that are not public are asked only if the operator names them', async () => {
  expect(await told([])).toMatch(/a network that is not the tenant's/)
  expect(await told(['--registry-allow', '10.0.0.0/8', '--registry-allow', '127.0.0.2'])).toMatch(/is not allowed here/)
  const answered = expect.stringContaining('answered 404')
  expect(await told(['--registry-allow', '127.0.0.0/8'])).toEqual(answered)
  expect(await told(['--registry-insecure', `127.0.0.1:${port}`])).toEqual(answered)
  expect(await told([], { GANTRY_REGISTRY_ALLOW: 'registry.lan, 127.0.0.1' })).toEqual(answered)
})

test('a mistake is told with the option that it is in', async () => {
  await expect(told(['--registry-allow', 'http://a'])).rejects.toThrow(/^--registry-allow: "http:\/\/a" is neither/)
  await expect(told(['--registry-insecure', '10.0.0.0/99'])).rejects.toThrow(/^--registry-insecure: /)
})
