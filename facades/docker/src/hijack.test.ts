import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { type Duplex, PassThrough, Transform } from 'node:stream'
import { createHttpApp, onUpgrade } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import { encodeFrame } from '@gantry/wire'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { bodyBefore, takenOver, upgraded } from './hijack.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Answers with the body it got, then every byte in upper case; says good-bye after the client's half close. */
async function shouter(): Promise<number> {
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  const upper = (first: string) => {
    const loud = new Transform({
      transform: (chunk: Buffer, _encoding, done) => done(null, chunk.toString().toUpperCase()),
      flush: (done) => done(null, 'bye'),
    })
    loud.write(first)
    return loud
  }
  app.post('/attach', async (request, reply) => {
    const connection = takenOver(request, reply)
    connection.accept('application/vnd.docker.raw-stream')
    await connection.send(connection.input.pipe(upper(JSON.stringify(request.body ?? null))), true)
    return reply
  })
  onUpgrade(app, {
    takes: (path) => path === '/attach',
    handle: (request, socket, head) => {
      void bodyBefore(request, socket, head).then(({ body, rest }) => {
        const connection = upgraded(request, socket, rest)
        connection.accept('application/vnd.docker.raw-stream')
        return connection.send(connection.input.pipe(upper(body.toString())), true)
      })
    },
    refuse: (_request, socket) => socket.destroy(),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => app.close())
  return (app.server.address() as AddressInfo).port
}

/** Sends the pieces one after another, each when the answer to the one before has come; then ends its half. */
async function talk(port: number, head: string, pieces: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let got = ''
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString()
  })
  await once(socket, 'connect')
  socket.write(head)
  while (!got.includes('\r\n\r\n')) await once(socket, 'data')
  for (const piece of pieces) {
    socket.write(piece)
    while (!got.includes(piece.toUpperCase())) await once(socket, 'data')
  }
  socket.end()
  await once(socket, 'end')
  return got
}

const json = '{"a":1}'
const bodyHead = `Content-Type: application/json\r\nContent-Length: ${json.length}\r\n`

test.each([
  ['with an upgrade and no body', 'Connection: Upgrade\r\nUpgrade: tcp\r\n', '', '101 UPGRADED', ''],
  ['with an upgrade and a body', `Connection: Upgrade\r\nUpgrade: tcp\r\n${bodyHead}`, json, '101 UPGRADED', json],
  ['without an upgrade and a body', 'Content-Length: 0\r\n', '', '200 OK', 'null'],
  ['without an upgrade, with a body', bodyHead, json, '200 OK', json],
])('a connection is taken over %s', async (_name, headers, body, status, told) => {
  const port = await shouter()
  const got = await talk(port, `POST /attach HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`, [
    'hello\n',
    'GET / HTTP/1.1\r\n\r\n',
  ])
  expect(got.startsWith(`HTTP/1.1 ${status}\r\n`)).toBe(true)
  expect(got.slice(got.indexOf('\r\n\r\n') + 4)).toBe(`${told.toUpperCase()}HELLO\nGET / HTTP/1.1\r\n\r\nbye`)
})

test('stdin that came in one piece with the head is not lost after an upgrade', async () => {
  const port = await shouter()
  const head = `POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${bodyHead}\r\n${json}early`
  const got = await talk(port, head, ['late'])
  expect(got.slice(got.indexOf('\r\n\r\n') + 4)).toBe(`${json.toUpperCase()}EARLYLATEbye`)
})

test('a body that comes after the head is waited for', async () => {
  const port = await shouter()
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let got = ''
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString()
  })
  socket.write(`POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${bodyHead}\r\n`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.write(json)
  while (!got.includes(json.toUpperCase())) await once(socket, 'data')
  socket.end('late')
  await once(socket, 'end')
  expect(got.slice(got.indexOf('\r\n\r\n') + 4)).toBe(`${json.toUpperCase()}LATEbye`)
})

test('a refusal is an answer with a sentence and ends the connection', async () => {
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  const refuse = (request: IncomingMessage, socket: Duplex) =>
    upgraded(request, socket, Buffer.alloc(0)).refuse(new Error('no'))
  onUpgrade(app, { takes: () => true, handle: refuse, refuse })
  await app.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const got = await talk(port, 'POST /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n', [])
  expect(got).toMatch(/^HTTP\/1\.1 500 /)
  expect(JSON.parse(got.slice(got.indexOf('\r\n\r\n') + 4))).toHaveProperty('message')
})

test('what follows the head comes by itself to docker-py, which would drop it', async () => {
  const port = await shouter()
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\nUser-Agent: docker-sdk-python/5.0.3\r\n'
  socket.write(`POST /attach HTTP/1.1\r\nHost: x\r\n${upgrade}${bodyHead}\r\n${json}`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  expect(first.toString().endsWith('\r\n\r\n')).toBe(true)
  const [second] = (await once(socket, 'data')) as [Buffer]
  expect(second.toString()).toBe(json.toUpperCase())
  socket.end()
  await once(socket.resume(), 'end')
})

test('a body without end before a stream is refused, and not kept', async () => {
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  const told = Promise.withResolvers<unknown>()
  onUpgrade(app, {
    takes: () => true,
    handle: (request, socket, head) => {
      bodyBefore(request, socket, head).catch((error: unknown) => {
        told.resolve(error)
        upgraded(request, socket, Buffer.alloc(0)).refuse(error)
      })
    },
    refuse: (_request, socket) => socket.destroy(),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => app.close())
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  closing.push(() => socket.destroy())
  let got = ''
  socket.on('error', () => undefined).on('data', (chunk: Buffer) => (got += chunk.toString()))
  socket.write(
    'POST /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nTransfer-Encoding: chunked\r\n\r\n',
  )
  const sending = setInterval(
    () => socket.writableLength === 0 && socket.write(`10000\r\n${'x'.repeat(65_536)}\r\n`),
    1,
  )
  closing.push(() => clearInterval(sending))
  expect(await told.promise).toMatchObject({ code: 'request.too-large' })
  await expect.poll(() => got).toMatch(/^HTTP\/1\.1 413 /)
})

test('whoever counts streams hears of the end of one that was taken over', async () => {
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  let open = 0
  app.post('/attach', async (request, reply) => {
    open += 1
    reply.raw.once('close', () => (open -= 1))
    takenOver(request, reply).accept('application/vnd.docker.raw-stream')
    return reply
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => app.close())
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('POST /attach HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
  await once(socket, 'data')
  expect(open).toBe(1)
  socket.resetAndDestroy()
  await expect.poll(() => open).toBe(0)
})

const hello = encodeFrame(1, Buffer.from('hello'))
const reason = 'The answer of host h broke off; whether execRun was carried out is not known.'

test.each([
  ['between two frames', [hello, hello], false, Buffer.concat([hello, hello, encodeFrame(3, Buffer.from(reason))])],
  ['before anything came', [], false, encodeFrame(3, Buffer.from(reason))],
  ['in the middle of a frame', [hello.subarray(0, 10)], false, hello.subarray(0, 10)],
  ['in the head of a frame', [hello, hello.subarray(0, 3)], false, Buffer.concat([hello, hello.subarray(0, 3)])],
  [
    'between the pieces of one, which ended',
    [hello.subarray(0, 3), hello.subarray(3, 9), hello.subarray(9)],
    false,
    Buffer.concat([hello, encodeFrame(3, Buffer.from(reason))]),
  ],
  ['on a terminal', [Buffer.from('hel')], true, Buffer.from(`hel\r\n${reason}\r\n`)],
])('a stream that breaks off %s says why', async (_where, pieces, tty, expected) => {
  const output = new PassThrough()
  const app = createHttpApp({ log: pino({ level: 'silent' }) })
  app.post('/attach', async (request, reply) => {
    const connection = takenOver(request, reply)
    connection.accept('application/vnd.docker.raw-stream')
    const sent = connection.send(output, tty)
    for (const piece of pieces) output.write(piece)
    // All of it is read before it breaks.
    while (output.readableLength > 0) await once(output, 'data')
    output.destroy(new Fault('host.broke-off', { host: 'h', call: 'execRun' }))
    await sent
    return reply
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => app.close())
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('POST /attach HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  await once(socket, 'end')
  const got = Buffer.concat(parts)
  expect(got.subarray(got.indexOf('\r\n\r\n') + 4).toString('latin1')).toBe(expected.toString('latin1'))
})
