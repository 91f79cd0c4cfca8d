import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { HostId } from '@gantry/model'
import { afterEach, describe, expect, test } from 'vitest'
import { type RegistryDial, registryDial } from './registry-dial.ts'
import { credentialsFrom, fakeHost, hostId, relayBench, until } from './test-harness.ts'

const signal = new AbortController().signal

let bench: Awaited<ReturnType<typeof relayBench>>
afterEach(() => bench.close())

/** A relay whose registry tells who asks for what, and the dial of the host `id`. */
async function withRegistry(id: string = hostId): Promise<{ dial: RegistryDial; served: HostId[] }> {
  const served: HostId[] = []
  const http = createServer((request, response) => response.end(`${request.method} ${request.url}`))
  const serveRegistry = (socket: Parameters<typeof http.emit>[1], host: HostId) => {
    served.push(host)
    http.emit('connection', socket)
  }
  bench = await relayBench({ serveRegistry })
  const credentials = await credentialsFrom(bench.ca, id)
  return { dial: registryDial({ dial: bench.dial, credentials: () => credentials }), served }
}

async function get(dial: RegistryDial, path: string): Promise<string> {
  const agent = new Agent({ keepAlive: true })
  agent.createConnection = (_options, done) => {
    dial(signal).then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as never),
    )
    return undefined
  }
  const call = request({ agent, path, host: 'registry' }).end()
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  return text(answer).finally(() => agent.destroy())
}

describe('the registry of the server', () => {
  test('is reached by a host that has a session, which it is told', async () => {
    const { dial, served } = await withRegistry()
    await bench.agent(fakeHost().host)
    expect(await get(dial, '/v2/')).toBe('GET /v2/')
    expect(served).toEqual([hostId])
  })

  test('is shut to a host without one, and to another certificate than an agent has', async () => {
    const { dial, served } = await withRegistry('host-2')
    await bench.agent(fakeHost().host)
    await expect(get(dial, '/')).rejects.toThrow()
    const stranger = { ...(await credentialsFrom(bench.ca)), ...(await bench.ca.issueServer(['x'])) }
    const strange = registryDial({ dial: bench.dial, credentials: () => stranger })
    await expect(get(strange, '/')).rejects.toThrow()
    expect(served).toEqual([])
    expect(bench.log.messages.join('\n')).toContain('without a session')
  })

  test('holds 64 connections of one host, and ends them with its session', async () => {
    const { dial, served } = await withRegistry()
    await bench.agent(fakeHost().host)
    const held = await Promise.all(Array.from({ length: 64 }, () => dial(signal)))
    for (const socket of held) socket.on('error', () => undefined)
    await until(() => served.length === 64)
    const extra = await dial(signal)
    extra.on('error', () => undefined).resume()
    await once(extra, 'close')
    expect(served).toHaveLength(64)
    bench.relay.disconnect(hostId)
    for (const socket of held) socket.resume()
    await until(() => held.every((socket) => socket.destroyed), 'all have ended')
  })
})
