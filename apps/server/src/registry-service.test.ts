import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Control, Repository } from '@gantry/control'
import { createHttpMetrics, createRegistry } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import pino from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { certifiedNames, hostRegistryService, registryDomainsOf } from './registry-service.ts'

const hostId = 'host-1' as HostId

test('a host is known by its connection, and what it asks for by its pass', async () => {
  const repository = { tags: async () => ['latest'] } as unknown as Repository
  const asked: unknown[] = []
  const registry = {
    forHost(...args: readonly [HostId, string, string]) {
      asked.push(args)
      if (args[1] !== 'the pass') throw new Fault('auth.required', { reason: 'the pass is none' })
      return repository
    },
  } as unknown as Control['registry']
  const log = pino({ level: 'silent' })
  const service = await hostRegistryService({ registry }, createHttpMetrics(createRegistry()), log)
  const listener = createServer((socket) => service.serve(socket as TLSSocket, hostId)).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(async () => {
    listener.close()
    await service.close()
  })
  const { port } = listener.address() as AddressInfo
  const ask = async (path: string, password: string | null) => {
    const auth = password === null ? {} : { auth: `gantry:${password}` }
    const call = request({ port, path, agent: false, ...auth }).end()
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    return { status: answer.statusCode, headers: answer.headers, text: (await answer.toArray()).join('') }
  }
  const refused = await ask('/v2/', null)
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Basic realm="gantry"'])
  expect((await ask('/v2/', 'the pass')).status).toBe(200)
  const told = await ask('/v2/upstream/docker.io/library/busybox/tags/list', 'the pass')
  expect([told.status, JSON.parse(told.text)]).toMatchObject([200, { tags: ['latest'] }])
  expect(asked).toEqual([[hostId, 'the pass', 'upstream/docker.io/library/busybox']])
  expect((await ask('/v2/upstream/x/tags/list', 'another')).status).toBe(401)
  // What tenants have besides is not here.
  for (const path of ['/v2/_catalog', '/v2/token', '/v1/search', '/container/v1/containers']) {
    expect((await ask(path, 'the pass')).status).toBe(404)
  }
})

test('the names of the registry are those of the server with its port, and what the operator adds', () => {
  const options = {
    listen: { host: '0.0.0.0', port: 9700 },
    names: ['cloud.example', '127.0.0.1', '0.0.0.0'],
    registryNames: ['images.example', 'proxy.example:8443'],
  }
  expect(registryDomainsOf(options, 9700)).toEqual([
    'images.example',
    'proxy.example:8443',
    'cloud.example:9700',
    '127.0.0.1:9700',
  ])
  expect(certifiedNames(options)).toEqual(['cloud.example', '127.0.0.1', '0.0.0.0', 'images.example', 'proxy.example'])
})
