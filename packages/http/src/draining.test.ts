import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { afterEach, expect, test } from 'vitest'
import { createHttpApp } from './app.ts'
import { draining } from './draining.ts'
import { onUpgrade } from './upgrades.ts'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

async function served() {
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  const drain = draining(app)
  const held = Promise.withResolvers<string>()
  app.get('/quick', async () => 'quick')
  app.get('/slow', () => held.promise)
  app.get('/raw', (_request, reply) => {
    reply.hijack()
    void held.promise.then((word) => reply.raw.end(word))
  })
  onUpgrade(app, {
    takes: (path) => path === '/shell',
    handle: (_request, socket) => {
      socket.on('error', () => undefined).on('end', () => socket.destroy())
      socket.resume().write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    },
    refuse: (_request, socket) => socket.destroy(),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  ending.push(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  ending.push(() => agent.destroy())
  const get = async (path: string) => {
    const call = request({ host: '127.0.0.1', port, path, agent }).end()
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    return { connection: answer.headers.connection, body: await text(answer) }
  }
  return { port, drain, held, get, app }
}

test('what is under way ends, with the connection it came by; what comes before the end is served', async () => {
  const { drain, held, get } = await served()
  expect(await get('/quick')).toEqual({ connection: 'keep-alive', body: 'quick' })
  const [slow, raw] = [get('/slow'), get('/raw')]
  await sleep(50)
  drain.begin()
  expect(await get('/quick')).toEqual({ connection: 'close', body: 'quick' })
  let over = false
  const finished = drain.finish(AbortSignal.timeout(10_000)).then(() => (over = true))
  await expect(get('/quick')).rejects.toThrow('ECONNREFUSED')
  expect(over).toBe(false)
  held.resolve('done')
  expect([await slow, await raw]).toEqual([
    { connection: 'close', body: 'done' },
    { connection: 'close', body: 'done' },
  ])
  await finished
})

test('a stream is waited for, but not beyond the limit; idle connections go at once', async () => {
  const { port, drain, get } = await served()
  await get('/quick')
  const shell = connect(port, '127.0.0.1').on('error', () => undefined)
  ending.push(() => shell.destroy())
  shell.write('GET /shell HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
  await once(shell, 'data')
  drain.begin()
  const began = performance.now()
  await drain.finish(AbortSignal.timeout(200))
  expect(performance.now() - began).toBeGreaterThan(150)
  shell.destroy()
  await drain.finish(AbortSignal.timeout(10_000))
})
