import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { createHttpApp } from './app.ts'
import { boundBodies } from './bodies.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function connected(patience: Parameters<typeof boundBodies>[1]) {
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  boundBodies(app, patience)
  app.addHook('onRequest', async ({ headers }, reply) => {
    if (headers['x-refuse'] !== undefined) await reply.code(401).send({ message: 'no' })
  })
  app.post('/things', async () => ({ message: 'made' }))
  app.addContentTypeParser('application/x-flow', (_request, payload, parsed) => parsed(null, payload))
  app.post('/flows', async (request, reply) => {
    for await (const _ of request.body as AsyncIterable<Buffer>) break
    return reply.code(413).send({ message: 'enough' })
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => app.close())
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  const state = { got: '', closed: false }
  socket.on('error', () => undefined).on('data', (chunk: Buffer) => (state.got += chunk.toString()))
  socket.once('close', () => (state.closed = true))
  closing.push(() => socket.destroy())
  await once(socket, 'connect')
  return { socket, state }
}

const head = (more: string) => `POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}\r\n`

test('a client that goes on sending after its answer is cut off', async () => {
  const { socket, state } = await connected({ wholeMs: 60_000, lingerMs: 200 })
  socket.write(head('X-Refuse: yes\r\nContent-Length: 1000000000\r\n'))
  const sending = setInterval(() => socket.write('x'.repeat(1000)), 10)
  closing.push(() => clearInterval(sending))
  await expect.poll(() => state.closed, { timeout: 5000 }).toBe(true)
  expect(state.got).toMatch(/^HTTP\/1\.1 401 /)
})

test('so is one whose body was let go of before its end', async () => {
  const { socket, state } = await connected({ wholeMs: 60_000, lingerMs: 200 })
  socket.write(
    'POST /flows HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-flow\r\nContent-Length: 1000000000\r\n\r\nx',
  )
  await expect.poll(() => state.closed, { timeout: 5000 }).toBe(true)
  expect(state.got).toMatch(/^HTTP\/1\.1 413 /)
})

test('one that sends all of it within that time keeps its connection', async () => {
  const { socket, state } = await connected({ wholeMs: 60_000, lingerMs: 300 })
  socket.write(head('X-Refuse: yes\r\nContent-Length: 4\r\n'))
  await expect.poll(() => state.got).toMatch(/^HTTP\/1\.1 401 /)
  socket.write('late')
  state.got = ''
  await new Promise((resolve) => setTimeout(resolve, 500))
  socket.write(`${head('Content-Length: 2\r\n')}{}`)
  await expect.poll(() => state.got).toMatch(/^HTTP\/1\.1 200 /)
})

test('a body that comes byte by byte holds its connection only so long', async () => {
  const { socket, state } = await connected({ wholeMs: 200, lingerMs: 60_000 })
  socket.write(head('Content-Length: 100000\r\n'))
  const sending = setInterval(() => socket.write('x'), 10)
  closing.push(() => clearInterval(sending))
  await expect.poll(() => state.closed, { timeout: 5000 }).toBe(true)
})
