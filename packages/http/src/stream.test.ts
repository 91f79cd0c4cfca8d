import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { streamSignal } from './stream.ts'

test('a client that went before its request was looked at counts as gone', async () => {
  const app = fastify()
  const seen = Promise.withResolvers<boolean>()
  const arrived = Promise.withResolvers<void>()
  app.addHook('onRequest', async (request) => {
    arrived.resolve()
    await once(request.raw.socket, 'close')
    await sleep(20)
  })
  app.get('/', async (_request, reply) => {
    seen.resolve(streamSignal(reply).aborted)
    return 'late'
  })
  await app.listen({ port: 0 })
  try {
    const socket = connect((app.server.address() as AddressInfo).port)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrived.promise
    socket.destroy()
    expect(await seen.promise).toBe(true)
  } finally {
    await app.close()
  }
})
