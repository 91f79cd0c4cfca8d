import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { PassThrough } from 'node:stream'
import type { Consoles, LogStream } from '@gantry/control'
import { createHttpApp } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import { encodeFrame, frameKinds } from '@gantry/wire'
import type { FastifyBaseLogger } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { consoleUrl, originAllowed } from './console-address.ts'
import { consoleRoutes } from './console.ts'
import type { Zun } from './context.ts'
import { errorHandler } from './errors.ts'

const written: string[] = []
const write = (...parts: unknown[]) => void written.push(JSON.stringify(parts))
const log: FastifyBaseLogger = {
  level: 'info',
  fatal: write,
  error: write,
  warn: write,
  info: write,
  debug: write,
  trace: write,
  silent: write,
  child: () => log,
} as FastifyBaseLogger

/** What the session's other end holds: the process's output, which the test writes, and its stdin, which it reads. */
interface Process {
  readonly output: PassThrough
  readonly input: PassThrough
  readonly signal: AbortSignal
}

async function serve(pingMs = 60_000, framed = true) {
  const opened = Promise.withResolvers<Process>()
  const consoles: Consoles = {
    open: () => Promise.reject(new Error('not here')),
    async connect({ token, containerId }, input, signal): Promise<LogStream> {
      if (token === 'busy') throw new Fault('host.unreachable', { host: 'secret-host' })
      if (token !== 'good' || containerId !== 'c1') throw new Fault('console.refused')
      const output = new PassThrough()
      opened.resolve({ output, input: input as PassThrough, signal })
      return { framed, output }
    },
  }
  const app = createHttpApp({ log })
  await app.register(
    (scope, _options, done) => {
      scope.setErrorHandler(errorHandler({}))
      consoleRoutes(scope, { consoles, allowedOrigins: ['https://dashboard.example'], pingMs })
      done()
    },
    { prefix: '/container' },
  )
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, origin, url: `${origin.replace('http', 'ws')}/container/console/`, opened: opened.promise }
}

type Server = Awaited<ReturnType<typeof serve>>
let server: Server
const sockets: WebSocket[] = []

beforeEach(async () => {
  server = await serve()
})
afterEach(async () => {
  for (const ws of sockets.splice(0)) ws.terminate()
  await server.app.close()
})

const goodKey = '?token=good&uuid=c1'

/** As zunclient connects. */
function dial(query: string, options: ClientOptions = {}, at = server): WebSocket {
  const ws = new WebSocket(at.url + query, ['binary', 'base64'], options)
  sockets.push(ws)
  return ws
}

async function connected(at = server) {
  const ws = dial(goodKey, {}, at)
  const frames: Buffer[] = []
  const kinds = new Set<boolean>()
  ws.on('message', (data: Buffer, isBinary) => {
    frames.push(data)
    kinds.add(isBinary)
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await once(ws, 'open')
  return { ws, frames, kinds, closed, text: () => Buffer.concat(frames).toString(), process: await at.opened }
}

/** The HTTP answer to a connection that is refused. */
async function refusal(query: string, options: ClientOptions = {}): Promise<{ status: number; body: string }> {
  const ws = dial(query, options)
  ws.on('error', () => undefined)
  const [, answer] = (await once(ws, 'unexpected-response')) as [
    unknown,
    NodeJS.ReadableStream & { statusCode: number },
  ]
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part as Buffer)
  return { status: answer.statusCode, body: Buffer.concat(parts).toString() }
}

const out = (text: string | Buffer) => encodeFrame(frameKinds.stdout, Buffer.from(text))

describe('a session', () => {
  test('carries both ways in binary frames, and tells the exit code when it ends', async () => {
    const { ws, process, kinds, closed, text } = await connected()
    expect(ws.protocol).toBe('binary')
    ws.send(Buffer.from('ls\n'))
    expect(String((await once(process.input, 'data'))[0])).toBe('ls\n')
    process.output.write(out('hello '))
    process.output.write(encodeFrame(frameKinds.stderr, Buffer.from('wörld')))
    process.output.end(encodeFrame(frameKinds.end, Buffer.from('{"exitCode":3}')))
    expect(await closed).toEqual({ code: 1000, reason: 'The command ended with exit code 3.' })
    expect(text()).toBe('hello wörld')
    expect([...kinds]).toEqual([true])
    expect(process.input.readableEnded).toBe(false)
  })

  test('ends with a reason when its host is lost', async () => {
    const { process, closed } = await connected()
    process.output.destroy(new Error('lost'))
    expect(await closed).toMatchObject({ code: 1011, reason: expect.stringContaining('broke off') })
  })

  test('is cancelled when its client goes, without an end of stdin', async () => {
    const { ws, process } = await connected()
    const aborted = once(process.signal, 'abort')
    ws.terminate()
    await aborted
    await expect.poll(() => process.output.destroyed).toBe(true)
    expect(process.input.writableEnded).toBe(false)
  })

  test('refuses a frame of more than 1 MiB with 1009', async () => {
    const { ws, closed, process } = await connected()
    process.input.resume()
    ws.send(Buffer.alloc(1024 * 1024 + 1))
    expect((await closed).code).toBe(1009)
  })

  test('reads no faster than its client takes, and writes no faster than its process reads', async () => {
    const { ws, process } = await connected()
    ws.pause()
    const chunk = out(Buffer.alloc(64 * 1024, 'x'))
    let sent = 0
    const settled = async (stream: () => boolean) => {
      for (let quiet = 0; quiet < 20; quiet += 1) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        if (stream()) quiet = 0
      }
    }
    await settled(() => {
      const room = !process.output.writableNeedDrain && sent < 256 << 20
      if (room) {
        process.output.write(chunk)
        sent += chunk.length
      }
      return room
    })
    expect(sent).toBeLessThan(32 << 20)
    ws.resume()
    await settled(() => false)
    const filler = Buffer.alloc(64 * 1024)
    for (let count = 0; count < 512; count += 1) ws.send(filler)
    await settled(() => false)
    expect(process.input.writableLength + process.input.readableLength).toBeLessThan(4 << 20)
    expect(ws.bufferedAmount).toBeGreaterThan(8 << 20)
  })

  test('of a client that says nothing any more is dropped', async () => {
    const quick = await serve(50)
    try {
      const { port } = new URL(quick.origin)
      const socket = connectTcp(Number(port), '127.0.0.1')
      const lines = [
        `GET /container/console/${goodKey} HTTP/1.1`,
        `host: 127.0.0.1:${port}`,
        'connection: Upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
      ]
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      const head = String((await once(socket, 'data'))[0])
      expect(head).toContain('101 Switching Protocols')
      expect(head.toLowerCase()).not.toContain('sec-websocket-protocol')
      const { signal } = await quick.opened
      socket.resume()
      await once(socket, 'close')
      await expect.poll(() => signal.aborted).toBe(true)
    } finally {
      await quick.app.close()
    }
  })

  test('of a client that answers pings goes on', async () => {
    const quick = await serve(20)
    const { ws, process, closed } = await connected(quick)
    let pings = 0
    ws.on('ping', () => (pings += 1))
    await expect.poll(() => pings).toBeGreaterThan(5)
    process.output.end()
    expect((await closed).code).toBe(1000)
    await quick.app.close()
  })

  test('is cancelled when its client goes while its stdin is held back', async () => {
    const quick = await serve(50)
    const { ws, process } = await connected(quick)
    const filler = Buffer.alloc(64 * 1024)
    for (let count = 0; count < 256; count += 1) ws.send(filler)
    await expect.poll(() => process.input.writableNeedDrain).toBe(true)
    ws.terminate()
    await expect.poll(() => process.signal.aborted, { timeout: 5000 }).toBe(true)
    await quick.app.close()
  })

  test('is told when the server shuts down, which does not wait for it', async () => {
    const { closed } = await connected()
    await server.app.close()
    expect((await closed).code).toBe(1001)
  })
})

describe('a refusal', () => {
  test.each(['', '?token=good', '?token=wrong&uuid=c1', '?token=good&uuid=c2'])(
    'of %s is a 403 with a reason',
    async (query) => {
      const { status, body } = await refusal(query)
      expect(status).toBe(403)
      expect(JSON.parse(body)).toMatchObject({
        errors: [{ status: 403, detail: expect.stringContaining('Ask for a new one') }],
      })
    },
  )

  test('names no host', async () => {
    const { status, body } = await refusal('?token=busy&uuid=c1')
    expect(status).toBe(503)
    expect(body).not.toContain('secret-host')
  })

  test('a page elsewhere may not open a session, the dashboard may', async () => {
    expect(await refusal(goodKey, { origin: 'https://evil.example' })).toMatchObject({
      status: 403,
      body: expect.stringContaining('--allowed-origin'),
    })
    await once(dial(goodKey, { origin: 'https://dashboard.example' }), 'open')
  })

  test('a plain request is told to upgrade', async () => {
    const answer = await fetch(`${server.origin}/container/console/${goodKey}`)
    expect(answer.status).toBe(426)
  })

  test('no token is ever written to the log', () => {
    expect(written.length).toBeGreaterThan(10)
    expect(written.join('')).not.toMatch(/token|good&/)
  })
})

test.each([
  [undefined, 'h:9700', true],
  ['http://h:9700', 'h:9700', true],
  ['http://H:9700', 'h:9700', true],
  ['http://h:None', 'h:9700', true],
  ['https://h', 'h', true],
  ['http://h', 'h:80', true],
  ['http://[::1]:9700', '[::1]:9700', true],
  ['https://Dash.example', 'h:9700', true],
  ['http://h', 'h:9700', false],
  ['http://h:9701', 'h:9700', false],
  ['http://other:None', 'h:9700', false],
  ['null', 'h:9700', false],
  ['http://h:9700.evil.example', 'h:9700', false],
  ['http://h:9700', undefined, false],
])('origin %s at %s: %s', (origin, host, allowed) => {
  expect(originAllowed(origin, host, ['https://dash.example/'])).toBe(allowed)
})

test.each([
  ['http', '127.0.0.1:9700', 'ws://127.0.0.1:9700/container/console/?token=t&uuid=c'],
  ['https', 'cloud.example', 'wss://cloud.example:443/container/console/?token=t&uuid=c'],
  ['http', '[::1]', 'ws://[::1]:80/container/console/?token=t&uuid=c'],
])('the address of a session asked for by %s at %s', (protocol, host, url) => {
  const request = { protocol, headers: { host } } as Parameters<typeof consoleUrl>[1]
  const zun = { prefix: '/container' } as Zun
  expect(consoleUrl(zun, request, { token: 't', containerId: 'c', execId: null })).toBe(url)
  expect(consoleUrl(zun, request, { token: 't', containerId: 'c', execId: 'e' })).toBe(`${url}&exec_id=e`)
})
